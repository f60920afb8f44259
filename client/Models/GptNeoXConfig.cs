using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>GPT-NeoX's <c>config.json</c>; Pythia's too.</summary>
public sealed record GptNeoXConfig : TextModelConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "gpt_neox";

    private const string ActivationKey = "hidden_act", DefaultActivation = "gelu", ThetaKey = "rotary_emb_base", ShareKey = "rotary_pct";
    private const double DefaultShare = 0.25;

    /// <summary>A configuration made by hand.</summary>
    public GptNeoXConfig()
    {
    }

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    [SetsRequiredMembers]
    internal GptNeoXConfig(ConfigReader reader, ModelTask task) : base(reader, task, maxPositions: 2048)
    {
        Layers = reader.WholeNumber("num_hidden_layers", 1, ConfigBounds.MostLayers);
        Heads = reader.WholeNumber("num_attention_heads", 1, ConfigBounds.WidestLayer);
        IntermediateSize = reader.WholeNumber("intermediate_size", 1, ConfigBounds.WidestLayer);
        NormEpsilon = reader.Number("layer_norm_eps", 0, 1, 1e-5);
        Activation = Activation.Read(reader, ActivationKey, DefaultActivation);
        AttentionBias = reader.Flag("attention_bias", true);
        ParallelResidual = reader.Flag("use_parallel_residual", true);
        TieWordEmbeddings = reader.Flag("tie_word_embeddings", false);
        AttentionDropout = reader.Number("attention_dropout", 0, 1, 0);
        HiddenDropout = reader.Number("hidden_dropout", 0, 1, 0);
        if (HiddenSize % Heads != 0)
            reader.Reject("hidden_size", $"{HiddenSize} is no multiple of num_attention_heads ({Heads})");
        else
            Rotary = RotaryConfig.Read(reader, HeadSize, MaxPositions, ThetaKey, ShareKey, DefaultShare);
    }

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public override string ClassName => Task == ModelTask.CausalLanguageModel ? "GPTNeoXForCausalLM" : "GPTNeoXForSequenceClassification";

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of heads; divides the hidden size.</summary>
    public required int Heads { get; init; }

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

    /// <summary>Whether the two attention projections have biases.</summary>
    public bool AttentionBias { get; init; } = true;

    /// <summary>Whether attention and feed-forward layer read the same input and add up, instead of one after the other.</summary>
    public bool ParallelResidual { get; init; } = true;

    /// <summary>Whether the output head shares the token table.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Share of the attention probabilities that training drops.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Share of the numbers behind embedding, attention and feed-forward layer that training drops.</summary>
    public double HiddenDropout { get; init; }

    /// <inheritdoc/>
    public override long BackboneParameters
    {
        get
        {
            long hidden = HiddenSize, inner = IntermediateSize, attention = (4 * hidden * hidden) + (AttentionBias ? 4 * hidden : 0);
            return (VocabularySize * hidden) + (Layers * (attention + (2 * hidden * inner) + inner + hidden + (4 * hidden))) + (2 * hidden);
        }
    }

    /// <inheritdoc/>
    public override (int Layers, int Heads, int Width)? KeyValueShape => (Layers, Heads, HeadSize);

    /// <inheritdoc/>
    protected override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber("hidden_size", HiddenSize);
        writer.WriteNumber("max_position_embeddings", MaxPositions);
        writer.WriteNumber("num_hidden_layers", Layers);
        writer.WriteNumber("num_attention_heads", Heads);
        writer.WriteNumber("intermediate_size", IntermediateSize);
        writer.WriteNumber("layer_norm_eps", NormEpsilon);
        writer.WriteString(ActivationKey, Activation.Name);
        Rotary.Write(writer, ThetaKey, ShareKey, DefaultShare);
        writer.WriteBoolean("attention_bias", AttentionBias);
        writer.WriteBoolean("use_parallel_residual", ParallelResidual);
        writer.WriteBoolean("tie_word_embeddings", TieWordEmbeddings);
        writer.WriteNumber("attention_dropout", AttentionDropout);
        writer.WriteNumber("hidden_dropout", HiddenDropout);
    }
}
