using System.Buffers;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers;

/// <summary>Finds added tokens in a text: the leftmost first, and of those that start at one place the longest.</summary>
internal sealed class AddedTokenMatcher : ITokenSplitter
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

    public void Split(ReadOnlySpan<char> text, List<TextSegment> segments)
    {
        int position = 0;
        while (TryFind(text, position, out int start, out int end, out AddedToken token))
        {
            if (start > position)
                segments.Add(new(position, start - position, null));

            segments.Add(new(start, end - start, token.Id));
            position = end;
        }

        if (position < text.Length)
            segments.Add(new(position, text.Length - position, null));
    }

    /// <summary>Finds the next token at or after <paramref name="from"/>. White space that it strips belongs to the match, never beyond <paramref name="from"/>.</summary>
    private bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end, out AddedToken token)
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

    private static bool EndsWithWord(ReadOnlySpan<char> text) => !text.IsEmpty && CharacterClasses.Is(CodePoints.Before(text, text.Length, out _), CharacterClass.Word);

    private static bool StartsWithWord(ReadOnlySpan<char> text) => !text.IsEmpty && CharacterClasses.Is(CodePoints.At(text, 0, out _), CharacterClass.Word);
}
