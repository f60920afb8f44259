using System.Buffers;
using System.Globalization;
using System.Text;

namespace Federated.Client.Tokenizers;

/// <summary>Finds added tokens in a text: the leftmost first, and of those that start at one place the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly SearchValues<string> _any;
    private readonly Dictionary<char, AddedToken[]> _byFirstChar;

    public AddedTokenMatcher(IReadOnlyCollection<AddedToken> tokens)
    {
        _any = SearchValues.Create([.. tokens.Select(token => token.Content)], StringComparison.Ordinal);
        _byFirstChar = tokens
            .GroupBy(token => token.Content[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Content.Length).ToArray());
    }

    /// <summary>Finds the next token at or after <paramref name="from"/>. White space that it strips belongs to the match, never beyond <paramref name="from"/>.</summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end, out AddedToken token)
    {
        int position = from;
        while (position < text.Length)
        {
            int offset = text[position..].IndexOfAny(_any);
            if (offset < 0)
                break;

            position += offset;
            token = LongestAt(text[position..]);
            (start, end) = (position, position + token.Content.Length);
            if (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..])))
            {
                position = end;
                continue;
            }

            while (token.StripLeft && start > from && char.IsWhiteSpace(text[start - 1]))
                start--;

            while (token.StripRight && end < text.Length && char.IsWhiteSpace(text[end]))
                end++;

            return true;
        }

        (start, end, token) = (text.Length, text.Length, null!);
        return false;
    }

    private AddedToken LongestAt(ReadOnlySpan<char> text)
    {
        foreach (AddedToken token in _byFirstChar[text[0]])
        {
            if (text.StartsWith(token.Content, StringComparison.Ordinal))
                return token;
        }

        throw new InvalidOperationException("The search found a token that none of the added tokens is.");
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) => Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) => Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    /// <summary>Word characters of Unicode's regular expressions (UTS 18, annex C): letters, marks, decimal digits, letter numbers, connectors, joiners.</summary>
    private static bool IsWord(Rune rune) => Rune.IsLetter(rune) || rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
