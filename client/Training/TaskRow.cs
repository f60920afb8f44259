namespace Federated.Client.Training;

/// <summary>A stretch of a row's tokens.</summary>
/// <param name="Start">Its first token.</param>
/// <param name="End">The token after its last.</param>
public readonly record struct TokenSpan(int Start, int End);

/// <summary>One sequence or image as a model reads it, with what is to be learned about it.</summary>
/// <param name="Tokens">Token ids, at least one; none for an image.</param>
public sealed record TaskRow(ReadOnlyMemory<int> Tokens)
{
    /// <summary>The number of an image in its source, which is decoded when a batch wants it.</summary>
    public int? Image { get; init; }

    /// <summary>Segment of each token; null where all are 0.</summary>
    public IReadOnlyList<int>? TypeIds { get; init; }

    /// <summary>For a language model: the tokens to be predicted, in order and apart; null for all of them.</summary>
    public IReadOnlyList<TokenSpan>? Learned { get; init; }

    /// <summary>For classification: the class.</summary>
    public int Class { get; init; }

    /// <summary>The group that it is evaluated with, by number in <see cref="TaskData.Groups"/>.</summary>
    public int Group { get; init; }
}
