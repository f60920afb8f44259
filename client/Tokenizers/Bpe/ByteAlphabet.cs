namespace Federated.Client.Tokenizers.Bpe;

/// <summary>The printable characters that byte-level BPE writes bytes with, so that a vocabulary is readable JSON.</summary>
/// <remarks>
/// Source: Radford et al. 2019 (GPT-2). The bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for the characters of the same number;
/// the 68 others, in order, for U+0100 to U+0143 (so the space is U+0120).
/// </remarks>
public static class ByteAlphabet
{
    /// <summary>Characters of the alphabet lie below this number.</summary>
    private const int CharLimit = 0x144;

    private static readonly char[] Chars = MakeChars();
    private static readonly short[] Bytes = MakeBytes();

    /// <summary>The 256 characters in the order of their numbers: the order of single-byte tokens in a newly trained vocabulary.</summary>
    public static IEnumerable<char> CharsInOrder => Chars.Order();

    /// <summary>The character of a byte.</summary>
    public static char CharOf(byte value) => Chars[value];

    /// <summary>The byte of a character, if it is one of the 256.</summary>
    public static bool TryByteOf(char character, out byte value)
    {
        short found = character < CharLimit ? Bytes[character] : (short)-1;
        value = (byte)found;
        return found >= 0;
    }

    /// <summary>The token that stands for these bytes.</summary>
    public static string Token(ReadOnlySpan<byte> bytes) => string.Create(bytes.Length, bytes, static (chars, source) =>
    {
        for (int i = 0; i < chars.Length; i++)
            chars[i] = Chars[source[i]];
    });

    private static char[] MakeChars()
    {
        char[] chars = new char[256];
        int next = 256;
        for (int value = 0; value < chars.Length; value++)
        {
            bool printable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            chars[value] = (char)(printable ? value : next++);
        }

        return chars;
    }

    private static short[] MakeBytes()
    {
        short[] bytes = new short[CharLimit];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
            bytes[Chars[value]] = (short)value;

        return bytes;
    }
}
