using System.Runtime.InteropServices;

namespace Federated.Client.Tokenizers.Python;

/// <summary>Cuts a text at its added tokens by the rules of <c>PreTrainedTokenizer.tokenize</c>.</summary>
/// <remarks>
/// White space goes to a token only from the stretch next to it. A <c>single_word</c> token with anything but a space beside it is no token: it
/// becomes the end of the stretch before it, or else the beginning of that behind it, and that stretch stays one of its own.
/// </remarks>
internal sealed class PythonTokenSplitter(IReadOnlyCollection<AddedToken> tokens) : ITokenSplitter
{
    private readonly AddedTokenMatcher _matcher = new([.. tokens.Select(token => token with { SingleWord = false, StripLeft = false, StripRight = false })]);
    private readonly Dictionary<int, AddedToken> _flagged = tokens.Where(token => token.SingleWord || token.StripLeft || token.StripRight).ToDictionary(token => token.Id);

    public void Split(ReadOnlySpan<char> text, List<TextSegment> segments)
    {
        _matcher.Split(text, segments);
        if (_flagged.Count == 0)
            return;

        Span<TextSegment> all = CollectionsMarshal.AsSpan(segments);
        for (int i = 0; i < all.Length; i++)
        {
            if (all[i].Token is { } found && _flagged.TryGetValue(found, out AddedToken? token))
                Apply(token, text, all, i);
        }

        segments.RemoveAll(segment => segment.Length == 0);
    }

    private static void Apply(AddedToken token, ReadOnlySpan<char> text, Span<TextSegment> all, int at)
    {
        ReadOnlySpan<char> left = at > 0 ? all[at - 1].Of(text) : [], right = at + 1 < all.Length ? all[at + 1].Of(text) : [];
        if (token.StripRight && !right.IsEmpty && all[at + 1].Token is null)
            all[at + 1] = all[at + 1].From(all[at + 1].End - right.TrimStart().Length);

        if (token.StripLeft && !left.IsEmpty && all[at - 1].Token is null)
            all[at - 1] = all[at - 1].To(all[at - 1].Start + left.TrimEnd().Length);

        if (!token.SingleWord)
            return;

        if (!left.IsEmpty && left[^1] != ' ')
            (all[at - 1], all[at]) = (all[at - 1].To(all[at].End) with { Token = null }, new(all[at].End, 0, null));
        else if (!right.IsEmpty && right[0] != ' ')
            (all[at + 1], all[at]) = (all[at + 1].From(all[at].Start) with { Token = null }, new(all[at].Start, 0, null));
    }
}
