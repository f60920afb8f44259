namespace Federated.Client.Tokenizers.Patterns;

/// <summary>What becomes of the parts of a text that match a pattern, and of those between; named as in <c>tokenizer.json</c>.</summary>
public enum SplitBehavior
{
    /// <summary>Matches are dropped.</summary>
    Removed,

    /// <summary>Each match is a piece.</summary>
    Isolated,

    /// <summary>A match belongs to the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match belongs to the piece after it.</summary>
    MergedWithNext,

    /// <summary>Matches in a row are one piece.</summary>
    Contiguous,
}

/// <summary>A stretch of text, and whether it matched.</summary>
internal readonly record struct Segment(int Start, int Length, bool IsMatch);

/// <summary>Makes pieces of segments, as the tokenizers library does.</summary>
internal static class SegmentRules
{
    /// <param name="segments">In order, covering the text without gaps.</param>
    /// <param name="behavior">What becomes of matches.</param>
    /// <param name="invert">What does not match counts as match, and the other way round.</param>
    /// <param name="pieces">Appended to.</param>
    public static void Apply(ReadOnlySpan<Segment> segments, SplitBehavior behavior, bool invert, List<TextPiece> pieces)
    {
        int first = pieces.Count;
        bool previousMatched = false;
        for (int i = 0; i < segments.Length; i++)
        {
            Segment segment = segments[i] with { IsMatch = segments[i].IsMatch != invert };
            bool joins = pieces.Count > first && behavior switch
            {
                SplitBehavior.MergedWithPrevious => segment.IsMatch && !previousMatched,
                SplitBehavior.MergedWithNext => !segment.IsMatch && previousMatched,
                SplitBehavior.Contiguous => segment.IsMatch == previousMatched,
                _ => false,
            };
            previousMatched = segment.IsMatch;
            if (segment.IsMatch && behavior == SplitBehavior.Removed)
                continue;

            if (joins)
                pieces[^1] = new(pieces[^1].Start, segment.Start + segment.Length - pieces[^1].Start);
            else if (segment.Length > 0)
                pieces.Add(new(segment.Start, segment.Length));
        }
    }
}
