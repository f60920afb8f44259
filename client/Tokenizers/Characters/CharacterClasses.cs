using System.Globalization;

namespace Federated.Client.Tokenizers.Characters;

/// <summary>What tokenizers for words ask about a character.</summary>
[Flags]
internal enum CharacterClass : byte
{
    /// <summary>None of the others.</summary>
    None = 0,

    /// <summary>Unicode's White_Space.</summary>
    Space = 1,

    /// <summary>Category P, and every ASCII character that is neither letter, digit, space nor control: <c>$+&lt;=&gt;^`|~</c> are symbols to Unicode.</summary>
    Punctuation = 2,

    /// <summary>Category Cc, Cf or Co; not tab, line feed and carriage return.</summary>
    Control = 4,

    /// <summary>Category Mn.</summary>
    NonSpacingMark = 8,

    /// <summary>Category Mn, Mc or Me.</summary>
    Mark = 16,

    /// <summary>A word character of regular expressions (UTS 18, annex C): alphabetic, mark, decimal digit, connector, joiner.</summary>
    Word = 32,

    /// <summary>Category Cn: not in the version of Unicode that the runtime knows.</summary>
    Unassigned = 64,
}

/// <summary>The classes of each character.</summary>
/// <remarks>
/// Compared with the tokenizers library over all of Unicode: equal but for about a thousand characters that Unicode received after version 8,
/// which is what the library's tables of marks and punctuation know.
/// </remarks>
internal static class CharacterClasses
{
    private static readonly CharacterClass[] Table = MakeTable();

    public static CharacterClass Of(int code) => code < Table.Length ? Table[code] : Find(code);

    public static bool Is(int code, CharacterClass any) => (Of(code) & any) != 0;

    /// <summary>A character of the blocks of Chinese ideographs, which BERT makes words of their own. Korean and Japanese letters are none.</summary>
    public static bool IsChinese(int code) => code is
        (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or
        (>= 0x2B740 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private static CharacterClass[] MakeTable()
    {
        CharacterClass[] table = new CharacterClass[char.MaxValue + 1];
        for (int code = 0; code < table.Length; code++)
            table[code] = Find(code);

        return table;
    }

    private static CharacterClass Find(int code)
    {
        UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(code);
        CharacterClass found = category switch
        {
            UnicodeCategory.NonSpacingMark => CharacterClass.NonSpacingMark | CharacterClass.Mark | CharacterClass.Word,
            UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharacterClass.Mark | CharacterClass.Word,
            UnicodeCategory.ConnectorPunctuation => CharacterClass.Punctuation | CharacterClass.Word,
            >= UnicodeCategory.DashPunctuation and <= UnicodeCategory.OtherPunctuation => CharacterClass.Punctuation,
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse => CharacterClass.Control,
            UnicodeCategory.OtherNotAssigned => CharacterClass.Unassigned,
            <= UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber => CharacterClass.Word,
            _ => CharacterClass.None,
        };
        if (code <= char.MaxValue && char.IsWhiteSpace((char)code))
            found |= CharacterClass.Space;

        return code switch
        {
            '\t' or '\n' or '\r' => CharacterClass.Space,
            < 0x80 when category is UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol => CharacterClass.Punctuation,

            // Joiners, and letters in circles and squares: alphabetic, though not of a category of letters.
            0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189) => found | CharacterClass.Word,
            _ => found,
        };
    }
}
