using System.Buffers;
using System.Text;

namespace Federated.Simulations.Data.Mail;

/// <summary>Undoes a Content-Transfer-Encoding.</summary>
/// <remarks>
/// Source: RFC 2045 sections 6.7 (quoted-printable) and 6.8 (base64). Broken input never throws: a stray '=' stands for itself,
/// bytes outside the base64 alphabet are skipped, an incomplete last group gives the bytes it holds.
/// </remarks>
public static class TransferEncoding
{
    /// <summary>Bytes behind <paramref name="latin1"/>, one char a byte.</summary>
    /// <param name="encoding">Value of the field, any case; null and unknown names mean the bytes as they are.</param>
    /// <param name="latin1">The encoded body.</param>
    public static byte[] Decode(string? encoding, ReadOnlySpan<char> latin1) => encoding?.Trim().ToLowerInvariant() switch
    {
        "quoted-printable" => QuotedPrintable(latin1),
        "base64" => Base64(latin1),
        _ => Raw(latin1),
    };

    /// <summary>Decodes quoted-printable, soft line breaks included.</summary>
    public static byte[] QuotedPrintable(ReadOnlySpan<char> latin1)
    {
        ArrayBufferWriter<byte> output = new(Math.Max(1, latin1.Length));
        for (int i = 0; i < latin1.Length; i++)
        {
            if (latin1[i] != '=')
            {
                Put(output, latin1[i]);
            }
            else if (i + 2 < latin1.Length && char.IsAsciiHexDigit(latin1[i + 1]) && char.IsAsciiHexDigit(latin1[i + 2]))
            {
                Put(output, (char)((Hex(latin1[i + 1]) << 4) | Hex(latin1[i + 2])));
                i += 2;
            }
            else if (SoftBreak(latin1[(i + 1)..]) is int length and >= 0)
            {
                i += length;
            }
            else
            {
                Put(output, '=');
            }
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Decodes base64, skipping what is not in the alphabet and stopping at the first padding.</summary>
    public static byte[] Base64(ReadOnlySpan<char> latin1)
    {
        ArrayBufferWriter<byte> output = new(Math.Max(1, (latin1.Length / 4 * 3) + 3));
        int bits = 0;
        int held = 0;
        foreach (char c in latin1)
        {
            if (c == '=')
                break;

            int digit = Digit(c);
            if (digit < 0)
                continue;

            bits = ((bits << 6) | digit) & 0xFFFFFF;
            held += 6;
            if (held >= 8)
            {
                held -= 8;
                Put(output, (char)((bits >> held) & 0xFF));
            }
        }

        return output.WrittenSpan.ToArray();
    }

    private static byte[] Raw(ReadOnlySpan<char> latin1)
    {
        byte[] bytes = new byte[latin1.Length];
        Encoding.Latin1.GetBytes(latin1, bytes);
        return bytes;
    }

    // Chars to skip after '=' when the rest of the line is blank, or -1 when the '=' is no soft break.
    private static int SoftBreak(ReadOnlySpan<char> afterEquals)
    {
        for (int i = 0; i < afterEquals.Length; i++)
        {
            if (afterEquals[i] == '\n')
                return i + 1;

            if (afterEquals[i] is not (' ' or '\t' or '\r'))
                return -1;
        }

        return afterEquals.Length;
    }

    private static void Put(ArrayBufferWriter<byte> output, char value)
    {
        output.GetSpan(1)[0] = (byte)value;
        output.Advance(1);
    }

    private static int Hex(char c) => c <= '9' ? c - '0' : (c & ~0x20) - 'A' + 10;

    private static int Digit(char c) => c switch
    {
        >= 'A' and <= 'Z' => c - 'A',
        >= 'a' and <= 'z' => c - 'a' + 26,
        >= '0' and <= '9' => c - '0' + 52,
        '+' => 62,
        '/' => 63,
        _ => -1,
    };
}
