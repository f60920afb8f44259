namespace Federated.Client.Tokenizers;

/// <summary>Where a short row is filled, or a long text cut.</summary>
public enum Side
{
    /// <summary>At the end of the text.</summary>
    Right,

    /// <summary>At its beginning.</summary>
    Left,
}

/// <summary>Which text of a pair is cut when the two are too long together.</summary>
public enum TruncationStrategy
{
    /// <summary>The longer one; when both have to be cut they share evenly, an odd place going to the first.</summary>
    LongestFirst,

    /// <summary>Only the first.</summary>
    OnlyFirst,

    /// <summary>Only the second.</summary>
    OnlySecond,
}

/// <summary>How rows and batches are made.</summary>
public sealed record BatchOptions
{
    /// <summary>Tokens that a row may have, special ones included; null for any number.</summary>
    public int? MaxLength { get; init; }

    /// <summary>What is cut when a pair exceeds <see cref="MaxLength"/>.</summary>
    public TruncationStrategy Truncation { get; init; } = TruncationStrategy.LongestFirst;

    /// <summary>On which side texts are cut.</summary>
    public Side TruncationSide { get; init; } = Side.Right;

    /// <summary>Whether special tokens are put around texts.</summary>
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary>Id that fills rows; null for the tokenizer's own.</summary>
    public int? PadId { get; init; }

    /// <summary>Where rows are filled.</summary>
    public Side Padding { get; init; } = Side.Right;

    /// <summary>Every row gets <see cref="MaxLength"/> places, instead of as many as the longest row needs.</summary>
    public bool PadToMaxLength { get; init; }

    /// <summary>The length of rows is rounded up to a multiple of this; 1 or more.</summary>
    public int PadToMultipleOf { get; init; } = 1;
}
