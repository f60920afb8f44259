using MessagePack;

namespace Federated.Compat.MessagePack.Tests;

/// <summary>Bytes from an attacker: an error of the documented kind, without large allocations or deep stacks.</summary>
public sealed class HostileInputTests
{
    private static readonly MessagePackSerializerOptions Untrusted =
        MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData.WithMaximumObjectGraphDepth(16));

#if OFFICIAL_PACKAGES
    // 2.5 takes a length above 2^31 for a negative one: it refuses such a string or block in its own way, and skips such an array as empty.
    private static readonly Type?[] BeyondTheEnd = [typeof(EndOfStreamException), typeof(OverflowException), typeof(ArgumentOutOfRangeException), null];
#else
    private static readonly Type?[] BeyondTheEnd = [typeof(EndOfStreamException)];
#endif

    [Theory]
    [InlineData("ddffffffff")] // an array of 4 G elements
    [InlineData("dd7fffffff")]
    [InlineData("dfffffffff")] // a map of 4 G pairs
    [InlineData("df7fffffff")]
    [InlineData("dbffffffff41")] // a string of 4 GB
    [InlineData("c6ffffffff41")] // a block of 4 GB
    [InlineData("c9ffffffff0141")] // an extension of 4 GB
    public void AnyRead_LengthBeyondTheBytesLeft_FailsWithoutAllocating(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);
        ReadAll(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(ReadAll(bytes), BeyondTheEnd);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 * 1024);
    }

    [Theory]
    [InlineData("dd7fffffff", typeof(int[]))]
    [InlineData("dd7fffffff", typeof(List<string>))]
    [InlineData("df7fffffff", typeof(Dictionary<string, int>))]
    [InlineData("dbffffffff", typeof(string))]
    [InlineData("c6ffffffff", typeof(byte[]))]
    public void Deserialize_LengthBeyondTheBytesLeft_IsRefused(string hex, Type type)
    {
        Exception error = Assert.Throws<MessagePackSerializationException>(() => Deserialize(type, hex));
        Assert.Contains(error.InnerException?.GetType(), BeyondTheEnd.Where(type => type is not null));
    }

    [Fact]
    public void AnyRead_TruncatedAnywhere_EndsOfStream()
    {
        Random random = new(11);
        for (int i = 0; i < 50; i++)
        {
            byte[] bytes = ValueText.Write(ValueText.Draw(random));
            for (int length = 0; length < bytes.Length; length += 1 + (bytes.Length / 64))
                Assert.Equal(typeof(EndOfStreamException), ReadAll(bytes[..length]));
        }
    }

    [Fact]
    public void Skip_AMillionNestedArrays_NeedsNoStack()
    {
        byte[] bytes = new byte[1_000_001];
        Array.Fill(bytes, (byte)0x91, 0, 1_000_000);
        bytes[^1] = 0xc0;
        MessagePackReader reader = new(bytes);
        reader.Skip();
        Assert.True(reader.End);
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void Deserialize_NestedDeeperThanAllowed_IsRefused(int depth, bool accepted)
    {
        // Each level: {"Child": ...}, the innermost nil.
        byte[] bytes = Convert.FromHexString(string.Concat(Enumerable.Repeat("81a54368696c64", depth)) + "c0");
        Exception? error = Record.Exception(() => MessagePackSerializer.Deserialize<Nested>(bytes, Untrusted));
        if (accepted)
            Assert.Null(error);
        else
            Assert.IsType<InsufficientExecutionStackException>(error!.GetBaseException());
    }

    [Theory]
    [InlineData("cd0100", typeof(byte))]
    [InlineData("ff", typeof(uint))]
    [InlineData("cfffffffffffffffff", typeof(long))]
    [InlineData("d180ff", typeof(sbyte))]
    [InlineData("d3ffffffff7fffffff", typeof(int))]
    public void Deserialize_NumberOutOfRange_IsRefused(string hex, Type type)
    {
        Exception error = Assert.Throws<MessagePackSerializationException>(() => Deserialize(type, hex));
        Assert.IsType<OverflowException>(error.InnerException);
    }

    [Theory]
    [InlineData("d30000000000000007", typeof(byte), (byte)7)]
    [InlineData("cf0000000000000007", typeof(sbyte), (sbyte)7)]
    [InlineData("d3fffffffffffffff9", typeof(short), (short)-7)]
    [InlineData("ca3fc00000", typeof(double), 1.5)]
    [InlineData("cb3ff8000000000000", typeof(float), 1.5f)]
    [InlineData("f9", typeof(double), -7.0)]
    public void Deserialize_NumberOfAnotherWidth_IsAccepted(string hex, Type type, object expected) =>
        Assert.Equal(expected, Deserialize(type, hex));

    [Theory]
    [InlineData("c1", typeof(int))]
    [InlineData("a141", typeof(int))]
    [InlineData("c3", typeof(string))]
    [InlineData("90", typeof(Dictionary<string, int>))]
    [InlineData("c0", typeof(int))]
    [InlineData("82a1610101", typeof(Dictionary<string, int>))] // the second key is a number
    [InlineData("82a16101a16102", typeof(Dictionary<string, int>))] // the same key twice
    [InlineData("8101c0", typeof(Nested))] // a member's key is a number
    public void Deserialize_AnotherKindOfValue_IsRefused(string hex, Type type) =>
        Assert.Throws<MessagePackSerializationException>(() => Deserialize(type, hex));

    [Fact]
    public void GetEqualityComparer_OfUntrustedData_RefusesTypesWithoutASeededHash()
    {
        Assert.Throws<TypeAccessException>(MessagePackSecurity.UntrustedData.GetEqualityComparer<Version>);
        Assert.Same(EqualityComparer<Version>.Default, MessagePackSecurity.TrustedData.GetEqualityComparer<Version>());
        Assert.NotSame(EqualityComparer<long>.Default, MessagePackSecurity.UntrustedData.GetEqualityComparer<long>());
    }

    [Fact]
    public void AnyRead_RandomBytes_EndsWithAValueOrADocumentedError()
    {
        Random random = new(12);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(1, 64)];
            random.NextBytes(bytes);
            if (ReadAll(bytes) is { } error)
                Assert.Contains(error, (Type?[])[.. BeyondTheEnd, typeof(OverflowException), typeof(MessagePackSerializationException)]);

            Exception? failure = Record.Exception(() => MessagePackSerializer.Deserialize<ObjectTests.Outer>(bytes, Untrusted));
            Assert.True(failure is null or MessagePackSerializationException, failure?.ToString());
        }
    }

    /// <summary>Skips every value; null, or the type of the error.</summary>
    private static Type? ReadAll(byte[] bytes)
    {
        try
        {
            MessagePackReader reader = new(bytes);
            do
                reader.Skip();
            while (!reader.End);

            return null;
        }
        catch (Exception error)
        {
            return error.GetType();
        }
    }

    private static object? Deserialize(Type type, string hex)
    {
        try
        {
            return typeof(HostileInputTests).GetMethod(nameof(DeserializeAs), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
                .MakeGenericMethod(type).Invoke(null, [Convert.FromHexString(hex)]);
        }
        catch (System.Reflection.TargetInvocationException error)
        {
            throw error.InnerException!;
        }
    }

    private static object? DeserializeAs<T>(byte[] bytes) => MessagePackSerializer.Deserialize<T>(bytes, Untrusted);

    [MessagePackObject(keyAsPropertyName: true)]
    public sealed class Nested
    {
        public Nested? Child { get; set; }
    }
}
