using System.Diagnostics.CodeAnalysis;

namespace Federated.Client.Models;

/// <summary>What the <c>config.json</c> of every encoder of text says, each under names of its own.</summary>
public abstract record EncoderConfig : TextModelConfig
{
    /// <summary>A configuration made by hand.</summary>
    protected EncoderConfig()
    {
    }

    /// <summary>Reads what encoders have in common; problems are left in <paramref name="reader"/>.</summary>
    [SetsRequiredMembers]
    internal EncoderConfig(ConfigReader reader, ModelTask task, EncoderKeys keys, int padTokenId) : base(reader, task, 512, keys.Hidden)
    {
        PadTokenId ??= padTokenId;
        Layers = reader.WholeNumber(keys.Layers, 1, ConfigBounds.MostLayers);
        Heads = reader.WholeNumber(keys.Heads, 1, ConfigBounds.WidestLayer);
        IntermediateSize = reader.WholeNumber(keys.Intermediate, 1, ConfigBounds.WidestLayer);
        Activation = Activation.Read(reader, keys.Activation, "gelu");
        HiddenDropout = reader.Number(keys.HiddenDropout, 0, 1, 0.1);
        AttentionDropout = reader.Number(keys.AttentionDropout, 0, 1, 0.1);
        if (HiddenSize % Heads != 0)
            reader.Reject(keys.Heads, $"{Heads} does not divide the hidden size ({HiddenSize})");
        if (!reader.Flag("tie_word_embeddings", true) && task == ModelTask.MaskedLanguageModel)
            reader.Reject("tie_word_embeddings", "a masked language model whose output matrix is not its token table is not supported");
    }

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

    /// <summary>Share of the numbers behind embeddings, attention and feed-forward layer that training drops.</summary>
    public double HiddenDropout { get; init; }

    /// <summary>Share of the attention probabilities that training drops.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Share of the numbers before the classifier that training drops.</summary>
    public double ClassifierDropout { get; init; }

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
}

/// <summary>The keys under which an encoder's configuration keeps what encoders have in common.</summary>
internal sealed record EncoderKeys(string Hidden, string Layers, string Heads, string Intermediate, string Activation, string HiddenDropout, string AttentionDropout);
