using System.Buffers;
using MessagePack;

namespace Federated.Compat.MessagePack.Tests;

/// <summary>What the interoperability tests cannot show: float32, sequences of several segments, small and strange outputs.</summary>
public sealed class WriterTests
{
    [Theory]
    [InlineData(1f, "ca3f800000")]
    [InlineData(-0f, "ca80000000")]
    [InlineData(float.NegativeInfinity, "caff800000")]
    public void Write_Float_KeepsItsFourBytes(float value, string hex) =>
        Assert.Equal(hex, Convert.ToHexStringLower(MessagePackSerializer.Serialize(value)));

    [Fact]
    public void Write_HalfASurrogatePair_BecomesTheReplacementCharacter() =>
        Assert.Equal("a3efbfbd", Convert.ToHexStringLower(MessagePackSerializer.Serialize("\ud800")));

    [Fact]
    public void Write_ToAnOutputOfSmallSegments_GivesTheSameBytes()
    {
        string text = ValueText.Draw(new Random(5));
        byte[] block = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
        TrickleWriter output = new();
        MessagePackWriter writer = new(output);
        writer.WriteArrayHeader(3);
        writer.WriteRaw(ValueText.Write(text));
        writer.Write(block);
        writer.Write(Segments(block, 7));
        writer.Flush();

        byte[] bin = [0xc5, 0x13, 0x88, .. block];
        Assert.Equal([0x93, .. ValueText.Write(text), .. bin, .. bin], output.Written);
    }

    [Fact]
    public void Read_FromManySegments_GivesTheSameValues()
    {
        Random random = new(6);
        for (int i = 0; i < 100; i++)
        {
            string text = ValueText.Draw(random);
            byte[] bytes = ValueText.Write(text);
            MessagePackReader reader = new(Segments(bytes, 1 + (i % 5)));
            Assert.Equal(bytes, reader.ReadRaw().ToArray());
            Assert.True(reader.End);
            MessagePackReader again = new(Segments([.. bytes, 0x07], 3));
            again.Skip();
            Assert.Equal(bytes.Length, again.Consumed);
            Assert.Equal(7, again.ReadInt32());
        }
    }

#if !OFFICIAL_PACKAGES
    [Fact]
    public void Serialize_InsideAFormatter_DoesNotDisturbTheOuterValue()
    {
        MessagePackSerializerOptions options = MessagePackSerializerOptions.Standard.WithResolver(new NestingResolver());
        byte[] bytes = MessagePackSerializer.Serialize(new Version(3, 4), options);
        Assert.Equal("92c40103c40104", Convert.ToHexStringLower(bytes));
    }
#endif

    private static ReadOnlySequence<byte> Segments(byte[] bytes, int size)
    {
        Segment first = new(bytes.AsMemory(0, Math.Min(size, bytes.Length)), 0);
        Segment last = first;
        for (int at = size; at < bytes.Length; at += size)
            last = last.Append(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)));

        return new(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long start)
        {
            Memory = memory;
            RunningIndex = start;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            Segment next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }

    /// <summary>Hands out no more than it must, so that every write meets the end of a buffer.</summary>
    private sealed class TrickleWriter : IBufferWriter<byte>
    {
        private byte[] _segment = [];

        public List<byte> Written { get; } = [];

        public void Advance(int count) => Written.AddRange(_segment[..count]);

        public Memory<byte> GetMemory(int sizeHint = 0) => _segment = new byte[Math.Max(1, sizeHint)];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }

#if !OFFICIAL_PACKAGES
    private sealed class NestingResolver : IFormatterResolver, global::MessagePack.Formatters.IMessagePackFormatter<Version>
    {
        public global::MessagePack.Formatters.IMessagePackFormatter<T>? GetFormatter<T>() =>
            this as global::MessagePack.Formatters.IMessagePackFormatter<T> ?? MessagePackSerializerOptions.Standard.Resolver.GetFormatter<T>();

        public void Serialize(ref MessagePackWriter writer, Version value, MessagePackSerializerOptions options)
        {
            writer.WriteArrayHeader(2);
            writer.Write(MessagePackSerializer.Serialize(value.Major, options));
            writer.Write(MessagePackSerializer.Serialize(value.Minor, options));
        }

        public Version Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw new NotSupportedException();
    }
#endif
}
