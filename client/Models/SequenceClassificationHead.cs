using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>A decoder's classification head: one bias-free matrix (<c>score</c>) on the last real token of each sequence.</summary>
public sealed class SequenceClassificationHead : IModelHead
{
    /// <summary>The head's name.</summary>
    internal const string Name = "score";

    private readonly Projection _score;
    private readonly int? _padTokenId;

    private SequenceClassificationHead(Projection score, int? padTokenId) => (_score, _padTokenId) = (score, padTokenId);

    /// <summary>A head with uninitialised weights.</summary>
    /// <param name="hidden">Width of the hidden states.</param>
    /// <param name="labels">Number of classes.</param>
    /// <param name="padTokenId">The padding id that ends a sequence; null takes the last position of each row.</param>
    public static SequenceClassificationHead Create(long hidden, long labels, int? padTokenId) => new(new(hidden, labels, bias: false), padTokenId);

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, nn.Module Module)> Modules => [(Name, _score)];

    /// <summary>The last real token of each row.</summary>
    public long[]? Positions(ModelInput input) => SequenceBatch.Of(input).LastTokens(_padTokenId);

    /// <summary>(rows, hidden) → (rows, labels).</summary>
    public Tensor Logits(Tensor hidden) => _score.call(hidden);
}
