namespace Federated.Client.Tokenizers;

/// <summary>A place in a <see cref="TokenTemplate"/>: special tokens, or one of the two texts.</summary>
/// <param name="Tokens">Special ids to write, or empty for a text.</param>
/// <param name="Text">0 for the first text, 1 for the second; meaningless where <paramref name="Tokens"/> is not empty.</param>
/// <param name="TypeId">Segment id of everything written here.</param>
public sealed record TemplatePart(IReadOnlyList<int> Tokens, int Text, int TypeId)
{
    /// <summary>Whether a text goes here.</summary>
    public bool IsText => Tokens.Count == 0;
}

/// <summary>The order of special tokens and texts, for one text and for a pair.</summary>
/// <param name="ForOne">Parts around one text; has the text 0 once.</param>
/// <param name="ForPair">Parts around two texts; has the texts 0 and 1 once each.</param>
public sealed record TokenTemplate(IReadOnlyList<TemplatePart> ForOne, IReadOnlyList<TemplatePart> ForPair)
{
    private static readonly TemplatePart First = new([], 0, 0);

    /// <summary>Just the texts; the second one of a pair has segment id 1.</summary>
    public static TokenTemplate Plain { get; } = new([First], [First, new([], 1, 1)]);

    /// <summary>The parts for one text or for a pair.</summary>
    public IReadOnlyList<TemplatePart> Parts(bool pair) => pair ? ForPair : ForOne;

    /// <summary>How many special tokens one text or a pair gets.</summary>
    public int SpecialCount(bool pair) => Parts(pair).Sum(part => part.Tokens.Count);
}
