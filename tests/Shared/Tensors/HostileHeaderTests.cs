using System.Buffers.Binary;
using System.Text;
using Federated.Shared.Tensors;

namespace Federated.Shared.Tests.Tensors;

/// <summary>Headers from an attacker or a broken disk: refused with the right reason, before anything large is allocated.</summary>
public sealed class HostileHeaderTests
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    public static TheoryData<string, long, TensorFormatReason, string> Headers { get; } = new()
    {
        { "[]", 0, TensorFormatReason.BadHeader, "begin with '{'" },
        { "\"x\"", 0, TensorFormatReason.BadHeader, "begin with '{'" },
        { " {}", 0, TensorFormatReason.BadHeader, "begin with '{'" },
        { "{", 0, TensorFormatReason.BadHeader, "" },
        { "{} x", 0, TensorFormatReason.BadHeader, "" },
        { "{}{}", 0, TensorFormatReason.BadHeader, "" },
        { "{\"a\":1}", 0, TensorFormatReason.BadHeader, "'a' is Number" },
        { "{\"a\":{}}", 0, TensorFormatReason.BadHeader, "missing" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],}}", 8, TensorFormatReason.BadHeader, "" },
        { "{/*c*/\"a\":{}}", 0, TensorFormatReason.BadHeader, "" },
        { "{\"a\":{\"x\":[[[[[[]]]]]]}}", 0, TensorFormatReason.BadHeader, "" },
        { Good.Replace("shape", "form", StringComparison.Ordinal), 8, TensorFormatReason.BadHeader, "'form'" },
        { Good.Replace("\"dtype\"", "\"dtype\":\"F32\",\"dtype\"", StringComparison.Ordinal), 8, TensorFormatReason.BadHeader, "twice" },
        { Good.Replace("}}", "},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", StringComparison.Ordinal), 16, TensorFormatReason.BadTensorSet, "twice" },
        { Good.Replace("}}", "},\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", StringComparison.Ordinal), 16, TensorFormatReason.BadTensorSet, "twice" },
        { Good.Replace("\"a\"", "\"\\ud800\"", StringComparison.Ordinal), 8, TensorFormatReason.BadHeader, "invalid text" },
        { Good.Replace("F32", "f32", StringComparison.Ordinal), 8, TensorFormatReason.BadDType, "'f32'" },
        { Good.Replace("F32", "F8_E4M3", StringComparison.Ordinal), 8, TensorFormatReason.BadDType, "known: BOOL" },
        { Good.Replace("\"F32\"", "7", StringComparison.Ordinal), 8, TensorFormatReason.BadHeader, "Number" },
        { Good.Replace("[2]", "[-2]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "entry 0" },
        { Good.Replace("[2]", "[2.0]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "entry 0" },
        { Good.Replace("[2]", "[2e0]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "entry 0" },
        { Good.Replace("[2]", "[\"2\"]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "entry 0" },
        { Good.Replace("[2]", "[99999999999999999999]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "entry 0" },
        { Good.Replace("[2]", "[1,1,1,1,2]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "more than 4" },
        { Good.Replace("[2]", "[2147483649]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "above 2147483648" },
        { Good.Replace("[2]", "[2147483648,2147483648,2]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "2^63" },
        { Good.Replace("[2]", "[2147483648,2147483648,2,0]", StringComparison.Ordinal), 8, TensorFormatReason.BadShape, "2^63" },
        { Good.Replace("[2]", "2", StringComparison.Ordinal), 8, TensorFormatReason.BadHeader, "Number" },
        { Good.Replace("[0,8]", "[-8,0]", StringComparison.Ordinal), 8, TensorFormatReason.BadOffsets, "entry 0" },
        { Good.Replace("[0,8]", "[8,0]", StringComparison.Ordinal), 8, TensorFormatReason.BadOffsets, "8 bytes apart" },
        { Good.Replace("[0,8]", "[0,4]", StringComparison.Ordinal), 8, TensorFormatReason.BadOffsets, "8 bytes apart" },
        { Good.Replace("[0,8]", "[0]", StringComparison.Ordinal), 8, TensorFormatReason.BadOffsets, "" },
        { Good.Replace("[0,8]", "[0,8,16]", StringComparison.Ordinal), 8, TensorFormatReason.BadOffsets, "more than 2" },
        { Good.Replace("[0,8]", "[8,16]", StringComparison.Ordinal), 16, TensorFormatReason.BadOffsets, "a gap" },
        { Good.Replace("[0,8]", "[9223372036854775799,9223372036854775807]", StringComparison.Ordinal), 8, TensorFormatReason.BadOffsets, "a gap" },
        { Two(4, 12), 16, TensorFormatReason.BadOffsets, "an overlap" },
        { Two(0, 8), 16, TensorFormatReason.BadOffsets, "an overlap" },
        { Two(12, 20), 20, TensorFormatReason.BadOffsets, "a gap" },
        { Good, 7, TensorFormatReason.LengthMismatch, "truncated" },
        { Good, 9, TensorFormatReason.LengthMismatch, "after the last tensor" },
        { "{}", 1, TensorFormatReason.LengthMismatch, "after the last tensor" },
        { "{\"__metadata__\":{\"a\":1}}", 0, TensorFormatReason.BadHeader, "Number" },
        { "{\"__metadata__\":[]}", 0, TensorFormatReason.BadHeader, "StartArray" },
        { "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, TensorFormatReason.BadHeader, "twice" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, TensorFormatReason.BadHeader, "twice" },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void Parse_HostileHeader_IsRefusedWithItsReason(string json, long dataLength, TensorFormatReason reason, string expected)
    {
        TensorFormatException error = Assert.Throws<TensorFormatException>(() => Parse(json, dataLength, SafetensorsLimits.Upload));
        Assert.Equal(reason, error.Reason);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("upload 7: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_TextThatIsNoUtf8_IsRefused()
    {
        byte[] json = Encoding.UTF8.GetBytes(Good);
        json[2] = 0xff;
        TensorFormatException error = Assert.Throws<TensorFormatException>(() => SafetensorsHeader.Parse(json, 8 + json.Length + 8, SafetensorsLimits.Upload, "upload 7"));
        Assert.Equal(TensorFormatReason.BadHeader, error.Reason);
    }

    [Fact]
    public void Parse_NameWithControlCharacters_IsEscapedAndCutInTheMessage()
    {
        string name = "x\\n\\u001b[31m" + new string('y', 3000);
        TensorFormatException error = Assert.Throws<TensorFormatException>(
            () => Parse(Good.Replace("\"a\"", $"\"{name}\"", StringComparison.Ordinal), 7, SafetensorsLimits.Upload with { MaxNameLength = 1000 }));
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.InRange(error.Message.Length, 1, 400);
    }

    [Fact]
    public void Parse_MoreTensorsThanAllowed_IsRefusedAtTheFirstTooMany()
    {
        string json = "{" + string.Join(',', Enumerable.Range(0, 20_001).Select(i => $"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}")) + "}";
        TensorFormatException error = Assert.Throws<TensorFormatException>(() => Parse(json, 0, SafetensorsLimits.Upload));
        Assert.Contains("more than 20000 tensors", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", 1)]
    [InlineData("[1,1,1,0]", 0)]
    public void Parse_LargestHeader_AllocatesAtMostTwiceItsSizeAndOneMebibyte(string shape, int length)
    {
        StringBuilder text = new("{");
        int count = 0;
        for (; text.Length < SafetensorsLimits.Upload.MaxHeaderBytes - 80 && count < SafetensorsLimits.Upload.MaxTensors; count++)
            text.Append($"\"{count:x}\":{{\"dtype\":\"U8\",\"shape\":{shape},\"data_offsets\":[{count * length},{(count + 1) * length}]}},");

        byte[] json = Encoding.UTF8.GetBytes($"{text.ToString(0, text.Length - 1)}}}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        SafetensorsHeader header = SafetensorsHeader.Parse(json, 8 + json.Length + (count * length), SafetensorsLimits.Upload, "upload 7");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, (2 * json.Length) + (1 << 20));
        Assert.Equal(count, header.Tensors.Count);
    }

    [Fact]
    public void Parse_EmptyAndZeroSizedTensors_AreFine()
    {
        Assert.Empty(Parse("{}  ", 0, SafetensorsLimits.Upload).Tensors);
        SafetensorsHeader header = Parse(
            """{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"z":{"dtype":"F32","shape":[3,0],"data_offsets":[8,8]},"a":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}}""", 8, SafetensorsLimits.Upload);
        Assert.Equal(["a", "b", "z"], header.Tensors.Select(t => t.Name));
        Assert.Equal([0, 2, 0], header.Tensors.Select(t => t.ElementCount));
    }

    [Theory]
    [InlineData(0UL, 100, TensorFormatReason.BadHeader)]
    [InlineData(1UL, 100, TensorFormatReason.BadHeader)]
    [InlineData(93UL, 100, TensorFormatReason.LengthMismatch)]
    [InlineData(1_000_000_000UL, 2_000_000_000, TensorFormatReason.BadHeader)]
    [InlineData(ulong.MaxValue, 100, TensorFormatReason.BadHeader)]
    public void ReadJsonLength_Lies_AreRefused(ulong length, long fileLength, TensorFormatReason reason)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, length);
        TensorFormatException error = Assert.Throws<TensorFormatException>(
            () => SafetensorsHeader.ReadJsonLength(prefix, fileLength, SafetensorsLimits.Upload, "upload 7"));
        Assert.Equal(reason, error.Reason);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    public void Open_FileShorterThanItsHeader_IsRefused(int length)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [.. Enumerable.Repeat((byte)9, length)]);
            TensorFormatException error = Assert.Throws<TensorFormatException>(() => SafetensorsFile.Open(path));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Parse_RandomDamage_IsRefusedOrGivesAConsistentHeader()
    {
        Random random = new(3);
        byte[] good = Encoding.UTF8.GetBytes(Two(8, 16));
        for (int i = 0; i < 30_000; i++)
        {
            byte[] json = [.. good];
            for (int damage = random.Next(1, 4); damage > 0; damage--)
                json[random.Next(json.Length)] = (byte)random.Next(256);

            try
            {
                SafetensorsHeader header = SafetensorsHeader.Parse(json, 8 + json.Length + 16, SafetensorsLimits.Upload, "upload 7");
                Assert.Equal(16, header.Tensors.Sum(t => t.Length));
            }
            catch (TensorFormatException error)
            {
                Assert.NotEmpty(error.Message);
            }
        }
    }

    private static string Two(int begin, int end) =>
        Good.Replace("}}", $"}},\"b\":{{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[{begin},{end}]}}}}", StringComparison.Ordinal);

    private static SafetensorsHeader Parse(string json, long dataLength, SafetensorsLimits limits)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(json);
        return SafetensorsHeader.Parse(utf8, 8 + utf8.Length + dataLength, limits, "upload 7");
    }
}
