using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>Phi's <c>config.json</c>: Phi-1, Phi-1.5 and Phi-2.</summary>
public sealed record PhiConfig : TextModelConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "phi";

    private const string ActivationKey = "hidden_act", DefaultActivation = "gelu_new";
    private const double DefaultShare = 0.5;

    /// <summary>A configuration made by hand.</summary>
    public PhiConfig()
    {
    }

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    [SetsRequiredMembers]
    internal PhiConfig(ConfigReader reader, ModelTask task) : base(reader, task, maxPositions: 2048)
    {
        Layers = reader.WholeNumber("num_hidden_layers", 1, ConfigBounds.MostLayers);
        Heads = reader.WholeNumber("num_attention_heads", 1, ConfigBounds.WidestLayer);
        KeyValueHeads = reader.WholeNumber("num_key_value_heads", 1, ConfigBounds.WidestLayer, Heads);
        IntermediateSize = reader.WholeNumber("intermediate_size", 1, ConfigBounds.WidestLayer);
        NormEpsilon = reader.Number("layer_norm_eps", 0, 1, 1e-5);
        Activation = Activation.Read(reader, ActivationKey, DefaultActivation);
        NormsHeads = reader.Flag("qk_layernorm", false);
        TieWordEmbeddings = reader.Flag("tie_word_embeddings", false);
        EmbeddingDropout = reader.Number("embd_pdrop", 0, 1, 0);
        AttentionDropout = reader.Number("attention_dropout", 0, 1, 0);
        HiddenDropout = reader.Number("resid_pdrop", 0, 1, 0);
        if (Heads % KeyValueHeads != 0)
            reader.Reject("num_key_value_heads", $"{KeyValueHeads} does not divide num_attention_heads ({Heads})");
        if (HiddenSize % Heads != 0)
            reader.Reject("hidden_size", $"{HiddenSize} is no multiple of num_attention_heads ({Heads})");
        else
            Rotary = RotaryConfig.Read(reader, HeadSize, MaxPositions, defaultShare: DefaultShare);
    }

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public override string ClassName => Task == ModelTask.CausalLanguageModel ? "PhiForCausalLM" : "PhiForSequenceClassification";

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of query heads; divides the hidden size.</summary>
    public required int Heads { get; init; }

    /// <summary>Number of key and value heads; divides <see cref="Heads"/>.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of a head.</summary>
    public int HeadSize => HiddenSize / Heads;

    /// <summary>Width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Added to the variance before its root.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>The feed-forward layer's function.</summary>
    public Activation Activation { get; init; } = Activation.Of(DefaultActivation);

    /// <summary>Rotary positions, of a part of each head.</summary>
    public RotaryConfig Rotary { get; init; } = new() { Share = DefaultShare };

    /// <summary>Whether every head of query and key has a layer norm.</summary>
    public bool NormsHeads { get; init; }

    /// <summary>Whether the output head shares the token table; its bias is its own.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Share of the embedded tokens' numbers that training drops.</summary>
    public double EmbeddingDropout { get; init; }

    /// <summary>Share of the attention probabilities that training drops.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Share of the numbers behind attention and feed-forward layer that training drops.</summary>
    public double HiddenDropout { get; init; }

    /// <inheritdoc/>
    public override long BackboneParameters
    {
        get
        {
            long hidden = HiddenSize, inner = IntermediateSize, key = (long)KeyValueHeads * HeadSize;
            long attention = (2 * hidden * (hidden + 1)) + (2 * key * (hidden + 1)) + (NormsHeads ? 4 * HeadSize : 0);
            return (VocabularySize * hidden) + (Layers * (attention + (2 * hidden * inner) + inner + hidden + (2 * hidden))) + (2 * hidden);
        }
    }

    /// <inheritdoc/>
    public override (int Layers, int Heads, int Width)? KeyValueShape => (Layers, KeyValueHeads, HeadSize);

    /// <inheritdoc/>
    protected override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber("hidden_size", HiddenSize);
        writer.WriteNumber("max_position_embeddings", MaxPositions);
        writer.WriteNumber("num_hidden_layers", Layers);
        writer.WriteNumber("num_attention_heads", Heads);
        writer.WriteNumber("num_key_value_heads", KeyValueHeads);
        writer.WriteNumber("intermediate_size", IntermediateSize);
        writer.WriteNumber("layer_norm_eps", NormEpsilon);
        writer.WriteString(ActivationKey, Activation.Name);
        Rotary.Write(writer, defaultShare: DefaultShare);
        writer.WriteBoolean("qk_layernorm", NormsHeads);
        writer.WriteBoolean("tie_word_embeddings", TieWordEmbeddings);
        writer.WriteNumber("embd_pdrop", EmbeddingDropout);
        writer.WriteNumber("attention_dropout", AttentionDropout);
        writer.WriteNumber("resid_pdrop", HiddenDropout);
    }
}
