using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace MessagePack;

/// <summary>Writes MessagePack to a buffer writer, every value in its shortest form. Nothing is visible to the writer before <see cref="Flush"/>.</summary>
public ref struct MessagePackWriter
{
    private readonly IBufferWriter<byte> _output;
    private Span<byte> _span;
    private int _used;

    public MessagePackWriter(IBufferWriter<byte> writer)
    {
        _output = writer ?? throw new ArgumentNullException(nameof(writer));
        _span = default;
        _used = 0;
    }

    public CancellationToken CancellationToken { get; set; }

    public Span<byte> GetSpan(int length)
    {
        if (_span.Length - _used < Math.Max(length, 1))
        {
            Flush();
            _span = _output.GetSpan(length);
        }

        return _span[_used..];
    }

    public void Advance(int length)
    {
        if ((uint)length > (uint)(_span.Length - _used))
            throw new ArgumentOutOfRangeException(nameof(length));

        _used += length;
    }

    public void Flush()
    {
        if (_used > 0)
            _output.Advance(_used);

        _span = default;
        _used = 0;
    }

    public void WriteNil() => WriteCode(MessagePackCode.Nil);

    public void Write(bool value) => WriteCode(value ? MessagePackCode.True : MessagePackCode.False);

    public void Write(byte value) => Write((ulong)value);

    public void Write(ushort value) => Write((ulong)value);

    public void Write(uint value) => Write((ulong)value);

    public void Write(char value) => Write((ulong)value);

    public void Write(sbyte value) => Write((long)value);

    public void Write(short value) => Write((long)value);

    public void Write(int value) => Write((long)value);

    public void Write(ulong value)
    {
        switch (value)
        {
            case <= MessagePackCode.MaxFixInt: WriteCode((byte)value); break;
            case <= byte.MaxValue: WriteCode8(MessagePackCode.UInt8, (byte)value); break;
            case <= ushort.MaxValue: WriteCode16(MessagePackCode.UInt16, (ushort)value); break;
            case <= uint.MaxValue: WriteCode32(MessagePackCode.UInt32, (uint)value); break;
            default: WriteCode64(MessagePackCode.UInt64, value); break;
        }
    }

    public void Write(long value)
    {
        switch (value)
        {
            case >= 0: Write((ulong)value); break;
            case >= -32: WriteCode(unchecked((byte)value)); break;
            case >= sbyte.MinValue: WriteCode8(MessagePackCode.Int8, unchecked((byte)value)); break;
            case >= short.MinValue: WriteCode16(MessagePackCode.Int16, unchecked((ushort)value)); break;
            case >= int.MinValue: WriteCode32(MessagePackCode.Int32, unchecked((uint)value)); break;
            default: WriteCode64(MessagePackCode.Int64, unchecked((ulong)value)); break;
        }
    }

    public void Write(float value) => WriteCode32(MessagePackCode.Float32, BitConverter.SingleToUInt32Bits(value));

    public void Write(double value) => WriteCode64(MessagePackCode.Float64, BitConverter.DoubleToUInt64Bits(value));

    public void Write(string? value)
    {
        if (value is null)
            WriteNil();
        else
            Write(value.AsSpan());
    }

    public void Write(scoped ReadOnlySpan<char> value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        WriteStringHeader(length);
        Advance(Encoding.UTF8.GetBytes(value, GetSpan(length)));
    }

    public void Write(byte[]? src)
    {
        if (src is null)
            WriteNil();
        else
            Write(src.AsSpan());
    }

    public void Write(scoped ReadOnlySpan<byte> src)
    {
        WriteBinHeader(src.Length);
        Copy(src);
    }

    public void Write(in ReadOnlySequence<byte> src)
    {
        WriteBinHeader(checked((int)src.Length));
        WriteRaw(src);
    }

    public void WriteString(ReadOnlySpan<byte> utf8stringBytes)
    {
        WriteStringHeader(utf8stringBytes.Length);
        Copy(utf8stringBytes);
    }

    public void WriteString(in ReadOnlySequence<byte> utf8stringBytes)
    {
        WriteStringHeader(checked((int)utf8stringBytes.Length));
        WriteRaw(utf8stringBytes);
    }

    public void WriteArrayHeader(int count) => WriteArrayHeader((uint)count);

    public void WriteArrayHeader(uint count)
    {
        switch (count)
        {
            case <= 15: WriteCode((byte)(MessagePackCode.MinFixArray | count)); break;
            case <= ushort.MaxValue: WriteCode16(MessagePackCode.Array16, (ushort)count); break;
            default: WriteCode32(MessagePackCode.Array32, count); break;
        }
    }

    public void WriteMapHeader(int count) => WriteMapHeader((uint)count);

    public void WriteMapHeader(uint count)
    {
        switch (count)
        {
            case <= 15: WriteCode((byte)(MessagePackCode.MinFixMap | count)); break;
            case <= ushort.MaxValue: WriteCode16(MessagePackCode.Map16, (ushort)count); break;
            default: WriteCode32(MessagePackCode.Map32, count); break;
        }
    }

    public void WriteBinHeader(int length)
    {
        switch ((uint)length)
        {
            case <= byte.MaxValue: WriteCode8(MessagePackCode.Bin8, (byte)length); break;
            case <= ushort.MaxValue: WriteCode16(MessagePackCode.Bin16, (ushort)length); break;
            default: WriteCode32(MessagePackCode.Bin32, (uint)length); break;
        }
    }

    public void WriteStringHeader(int byteCount)
    {
        switch ((uint)byteCount)
        {
            case <= 31: WriteCode((byte)(MessagePackCode.MinFixStr | byteCount)); break;
            case <= byte.MaxValue: WriteCode8(MessagePackCode.Str8, (byte)byteCount); break;
            case <= ushort.MaxValue: WriteCode16(MessagePackCode.Str16, (ushort)byteCount); break;
            default: WriteCode32(MessagePackCode.Str32, (uint)byteCount); break;
        }
    }

    public void WriteRaw(ReadOnlySpan<byte> rawMessagePackBlock) => Copy(rawMessagePackBlock);

    public void WriteRaw(in ReadOnlySequence<byte> rawMessagePackBlock)
    {
        foreach (ReadOnlyMemory<byte> segment in rawMessagePackBlock)
            Copy(segment.Span);
    }

    private void Copy(scoped ReadOnlySpan<byte> bytes)
    {
        // In pieces: the output decides how much it holds at once, so that a large block needs no buffer of its size.
        while (!bytes.IsEmpty)
        {
            Span<byte> free = GetSpan(1);
            int count = Math.Min(free.Length, bytes.Length);
            bytes[..count].CopyTo(free);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    private void WriteCode(byte code)
    {
        GetSpan(1)[0] = code;
        _used++;
    }

    private void WriteCode8(byte code, byte value)
    {
        Span<byte> span = GetSpan(2);
        span[1] = value;
        span[0] = code;
        _used += 2;
    }

    private void WriteCode16(byte code, ushort value)
    {
        Span<byte> span = GetSpan(3);
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], value);
        span[0] = code;
        _used += 3;
    }

    private void WriteCode32(byte code, uint value)
    {
        Span<byte> span = GetSpan(5);
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], value);
        span[0] = code;
        _used += 5;
    }

    private void WriteCode64(byte code, ulong value)
    {
        Span<byte> span = GetSpan(9);
        BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
        span[0] = code;
        _used += 9;
    }
}
