using System.Buffers;
using System.Globalization;
using System.Text;
using MessagePack;

namespace Federated.Compat.MessagePack.Tests;

/// <summary>The text form of <c>interop.py</c>: from MessagePack through the reader, and back through the writer.</summary>
internal static class ValueText
{
    public static string Read(byte[] bytes)
    {
        MessagePackReader reader = new(bytes);
        string text = Read(ref reader);
        Assert.True(reader.End);
        return text;
    }

    public static byte[] Write(string text)
    {
        ArrayBufferWriter<byte> buffer = new();
        MessagePackWriter writer = new(buffer);
        ReadOnlySpan<char> rest = text;
        Write(ref writer, ref rest);
        writer.Flush();
        Assert.True(rest.IsEmpty);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A value drawn from <paramref name="random"/>; floats are of 64 bits, since Python has no others.</summary>
    public static string Draw(Random random, int depth = 0)
    {
        int[] lengths = [0, 1, 15, 16, 31, 32, 255, 256, 300];
        switch (random.Next(depth < 4 ? 9 : 7))
        {
            case 0: return "n";
            case 1: return "t";
            case 2: return "f";
            case 3: return string.Create(CultureInfo.InvariantCulture, $"i{random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64)}");
            case 4: return $"d{random.NextInt64(long.MinValue, long.MaxValue):x16}";
            case 5:
                string[] runes = ["a", "é", "中", "😀", "\0"];
                string s = string.Concat(Enumerable.Range(0, lengths[random.Next(lengths.Length)]).Select(_ => runes[random.Next(runes.Length)]));
                return "s" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(s));
            case 6:
                byte[] block = new byte[lengths[random.Next(lengths.Length)]];
                random.NextBytes(block);
                return "b" + Convert.ToHexStringLower(block);
            case 7:
                return $"[{string.Join(',', Enumerable.Range(0, random.Next(20)).Select(_ => Draw(random, depth + 1)))}]";
            default:
                return $"{{{string.Join(',', Enumerable.Range(0, random.Next(20)).Select(i => $"s6b{i:x2}:{Draw(random, depth + 1)}"))}}}";
        }
    }

    private static string Read(ref MessagePackReader reader)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil:
                reader.ReadNil();
                return "n";
            case MessagePackType.Boolean:
                return reader.ReadBoolean() ? "t" : "f";
            case MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64:
                return string.Create(CultureInfo.InvariantCulture, $"i{reader.ReadUInt64()}");
            case MessagePackType.Integer:
                return string.Create(CultureInfo.InvariantCulture, $"i{reader.ReadInt64()}");
            case MessagePackType.Float:
                return $"d{BitConverter.DoubleToUInt64Bits(reader.ReadDouble()):x16}";
            case MessagePackType.String:
                return "s" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(reader.ReadString()!));
            case MessagePackType.Binary:
                return "b" + Convert.ToHexStringLower(reader.ReadBytes()!.Value.ToArray());
            case MessagePackType.Array:
                string[] items = new string[reader.ReadArrayHeader()];
                for (int i = 0; i < items.Length; i++)
                    items[i] = Read(ref reader);

                return $"[{string.Join(',', items)}]";
            default:
                string[] pairs = new string[reader.ReadMapHeader()];
                for (int i = 0; i < pairs.Length; i++)
                    pairs[i] = Read(ref reader) + ":" + Read(ref reader);

                return $"{{{string.Join(',', pairs)}}}";
        }
    }

    private static void Write(ref MessagePackWriter writer, ref ReadOnlySpan<char> rest)
    {
        char kind = rest[0];
        int end = rest.IndexOfAny(",]}:");
        ReadOnlySpan<char> body = rest[1..(end < 0 ? rest.Length : end)];
        if (kind is '[' or '{')
        {
            WriteItems(ref writer, ref rest);
            return;
        }

        rest = end < 0 ? default : rest[end..];
        switch (kind)
        {
            case 'n': writer.WriteNil(); break;
            case 't': writer.Write(true); break;
            case 'f': writer.Write(false); break;
            case 'i' when body[0] == '-': writer.Write(long.Parse(body, CultureInfo.InvariantCulture)); break;
            case 'i': writer.Write(ulong.Parse(body, CultureInfo.InvariantCulture)); break;
            case 'd': writer.Write(BitConverter.UInt64BitsToDouble(ulong.Parse(body, NumberStyles.HexNumber, CultureInfo.InvariantCulture))); break;
            case 's': writer.Write(Encoding.UTF8.GetString(Convert.FromHexString(body))); break;
            default: writer.Write(Convert.FromHexString(body)); break;
        }
    }

    private static void WriteItems(ref MessagePackWriter writer, ref ReadOnlySpan<char> rest)
    {
        bool map = rest[0] == '{';
        ArrayBufferWriter<byte> items = new();
        MessagePackWriter inner = new(items);
        int count = 0;
        rest = rest[1..];
        while (rest[0] is not (']' or '}'))
        {
            Write(ref inner, ref rest);
            count++;
            if (rest[0] is ',' or ':')
                rest = rest[1..];
        }

        rest = rest[1..];
        inner.Flush();
        if (map)
            writer.WriteMapHeader(count / 2);
        else
            writer.WriteArrayHeader(count);

        writer.WriteRaw(items.WrittenSpan);
    }
}
