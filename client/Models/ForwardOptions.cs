namespace Federated.Client.Models;

/// <summary>What a forward pass is asked for besides the hidden states of all positions.</summary>
public sealed record ForwardOptions
{
    /// <summary>Nothing besides.</summary>
    public static ForwardOptions None { get; } = new();

    /// <summary>The flat positions that are wanted; null for all. What only the others need is not computed.</summary>
    public long[]? Positions { get; init; }

    /// <summary>Takes what is computed on the way, at all positions whichever are wanted; null for none.</summary>
    public ForwardTrace? Trace { get; init; }

    /// <summary>Keys and values of the tokens that went before those of this pass, which are appended to it; decoders only, one row.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>Keys and values that stand before every row; decoders only.</summary>
    public AttentionPrefix? Prefix { get; init; }
}
