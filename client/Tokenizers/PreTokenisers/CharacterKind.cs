using System.Buffers;
using System.Globalization;
using System.Text;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary>What the known splitting patterns tell apart.</summary>
internal enum CharacterKind : byte
{
    /// <summary>Punctuation, symbols, marks, control characters.</summary>
    Other,

    /// <summary><c>\p{L}</c>.</summary>
    Letter,

    /// <summary><c>\p{N}</c>.</summary>
    Number,

    /// <summary><c>\s</c>: Unicode's White_Space.</summary>
    Space,

    /// <summary>Half of a character beyond U+FFFF: only the pair has a kind.</summary>
    Surrogate,
}

/// <summary>The kind of each character, by table.</summary>
internal static class CharacterKinds
{
    private static readonly CharacterKind[] Table = MakeTable();

    /// <summary>The kind of the character at <paramref name="position"/> and the number of its UTF-16 units. A lone surrogate is <see cref="CharacterKind.Other"/>, as U+FFFD is.</summary>
    public static CharacterKind At(ReadOnlySpan<char> text, int position, out int length)
    {
        length = 1;
        CharacterKind kind = Table[text[position]];
        return kind != CharacterKind.Surrogate ? kind : Beyond(text[position..], out length);
    }

    /// <summary>The first position at or after <paramref name="position"/> whose character is not of this kind.</summary>
    public static int SkipWhile(ReadOnlySpan<char> text, int position, CharacterKind kind)
    {
        CharacterKind[] table = Table;
        while (position < text.Length)
        {
            CharacterKind found = table[text[position]];
            int length = 1;
            if (found == CharacterKind.Surrogate)
                found = Beyond(text[position..], out length);

            if (found != kind)
                break;

            position += length;
        }

        return position;
    }

    private static CharacterKind Beyond(ReadOnlySpan<char> text, out int length) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out length) == OperationStatus.Done ? Of(Rune.GetUnicodeCategory(rune)) : CharacterKind.Other;

    private static CharacterKind[] MakeTable()
    {
        CharacterKind[] table = new CharacterKind[char.MaxValue + 1];
        for (int value = 0; value < table.Length; value++)
        {
            char character = (char)value;
            table[value] = char.IsSurrogate(character) ? CharacterKind.Surrogate
                : char.IsWhiteSpace(character) ? CharacterKind.Space
                : Of(CharUnicodeInfo.GetUnicodeCategory(character));
        }

        return table;
    }

    private static CharacterKind Of(UnicodeCategory category) => category switch
    {
        <= UnicodeCategory.OtherLetter => CharacterKind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterKind.Number,
        _ => CharacterKind.Other,
    };
}
