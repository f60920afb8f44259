namespace Federated.Client.Models;

/// <summary>What the <c>config.json</c> of every encoder of text says, each under names of its own.</summary>
/// <remarks>
/// The dropout that a configuration asks for in the base is not applied in training: adapters bring their own, and it does not change what a
/// model computes in evaluation.
/// </remarks>
public abstract record EncoderConfig : TextModelConfig
{
    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of attention heads; divides the hidden size.</summary>
    public required int Heads { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>The function inside the feed-forward layer.</summary>
    public required Activation Activation { get; init; }

    /// <summary>Added to the variance before its root.</summary>
    public double NormEpsilon { get; init; } = 1e-12;

    /// <summary>Number of segments that tokens may belong to; 0 where the architecture knows none.</summary>
    public int TokenTypes { get; init; }

    /// <inheritdoc/>
    public override long BackboneParameters
    {
        get
        {
            long hidden = HiddenSize, inner = IntermediateSize;
            long block = (4 * hidden * (hidden + 1)) + (2 * hidden * inner) + inner + hidden + (4 * hidden);
            return (((long)VocabularySize + MaxPositions + TokenTypes + 2) * hidden) + (Layers * block);
        }
    }

    /// <summary>Leaves the problems that encoders have in common in <paramref name="reader"/>.</summary>
    /// <param name="reader">Where the configuration came from.</param>
    /// <param name="headsKey">The key that holds the number of heads.</param>
    protected void Check(ConfigReader reader, string headsKey)
    {
        if (HiddenSize % Heads != 0)
            reader.Reject(headsKey, $"{Heads} does not divide the hidden size ({HiddenSize})");
        if (!reader.Flag("tie_word_embeddings", true) && Task == ModelTask.MaskedLanguageModel)
            reader.Reject("tie_word_embeddings", "a masked language model whose output matrix is not its token table is not supported");
        if (IsClassifier && Labels.Count < 1)
            reader.Reject("id2label", "a classification head needs at least one label");
    }
}
