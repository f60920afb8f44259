using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>GPT-2's <c>config.json</c>.</summary>
public sealed record Gpt2Config : TextModelConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "gpt2";

    private const string ActivationKey = "activation_function", DefaultActivation = "gelu_new";

    /// <summary>A configuration made by hand.</summary>
    public Gpt2Config()
    {
    }

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    [SetsRequiredMembers]
    internal Gpt2Config(ConfigReader reader, ModelTask task) : base(reader, task, maxPositions: 1024, "n_embd", "n_positions")
    {
        Layers = reader.WholeNumber("n_layer", 1, ConfigBounds.MostLayers);
        Heads = reader.WholeNumber("n_head", 1, ConfigBounds.WidestLayer);
        IntermediateSize = reader.WholeNumber("n_inner", 1, ConfigBounds.WidestLayer, (int)Math.Min(4L * HiddenSize, int.MaxValue));
        NormEpsilon = reader.Number("layer_norm_epsilon", 0, 1, 1e-5);
        Activation = Activation.Read(reader, ActivationKey, DefaultActivation);
        ScaleByWidth = reader.Flag("scale_attn_weights", true);
        ScaleByLayer = reader.Flag("scale_attn_by_inverse_layer_idx", false);
        UpcastAttention = reader.Flag("reorder_and_upcast_attn", false);
        TieWordEmbeddings = reader.Flag("tie_word_embeddings", true);
        EmbeddingDropout = reader.Number("embd_pdrop", 0, 1, 0.1);
        AttentionDropout = reader.Number("attn_pdrop", 0, 1, 0.1);
        HiddenDropout = reader.Number("resid_pdrop", 0, 1, 0.1);
        if (HiddenSize % Heads != 0)
            reader.Reject("n_embd", $"{HiddenSize} is no multiple of n_head ({Heads})");
        if (reader.Flag("add_cross_attention", false))
            reader.Reject("add_cross_attention", "attention to an encoder is not supported; set it to false");
    }

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public override string ClassName => Task == ModelTask.CausalLanguageModel ? "GPT2LMHeadModel" : "GPT2ForSequenceClassification";

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of heads; divides the hidden size.</summary>
    public required int Heads { get; init; }

    /// <summary>Width of the feed-forward layer, by default four times the hidden size.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Added to the variance before its root.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>The feed-forward layer's function.</summary>
    public Activation Activation { get; init; } = Activation.Of(DefaultActivation);

    /// <summary>Whether scores are divided by the root of a head's width.</summary>
    public bool ScaleByWidth { get; init; } = true;

    /// <summary>Whether the scores of layer i, counted from 0, are divided by i + 1.</summary>
    public bool ScaleByLayer { get; init; }

    /// <summary>Whether attention is computed in float32, which is all this program does; kept for who reads the file next.</summary>
    public bool UpcastAttention { get; init; }

    /// <summary>Whether the output head shares the token table.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

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
            long hidden = HiddenSize, inner = IntermediateSize, attention = (4 * hidden * hidden) + (4 * hidden), feedForward = (2 * hidden * inner) + inner + hidden;
            return ((VocabularySize + (long)MaxPositions) * hidden) + (Layers * (attention + feedForward + (4 * hidden))) + (2 * hidden);
        }
    }

    /// <summary>What adds to the residual stream starts smaller the deeper the model is (Radford et al. 2019, section 2.3).</summary>
    internal override double InitialDeviation(string name) =>
        name.EndsWith(".c_proj.weight", StringComparison.Ordinal) ? InitializerRange / Math.Sqrt(2.0 * Layers) : InitializerRange;

    /// <inheritdoc/>
    public override (int Layers, int Heads, int Width)? KeyValueShape => (Layers, Heads, HiddenSize / Heads);

    /// <inheritdoc/>
    protected override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber("n_embd", HiddenSize);
        writer.WriteNumber("n_positions", MaxPositions);
        writer.WriteNumber("n_layer", Layers);
        writer.WriteNumber("n_head", Heads);
        if (IntermediateSize == 4L * HiddenSize)
            writer.WriteNull("n_inner");
        else
            writer.WriteNumber("n_inner", IntermediateSize);
        writer.WriteNumber("layer_norm_epsilon", NormEpsilon);
        writer.WriteString(ActivationKey, Activation.Name);
        writer.WriteBoolean("scale_attn_weights", ScaleByWidth);
        writer.WriteBoolean("scale_attn_by_inverse_layer_idx", ScaleByLayer);
        writer.WriteBoolean("reorder_and_upcast_attn", UpcastAttention);
        writer.WriteBoolean("tie_word_embeddings", TieWordEmbeddings);
        writer.WriteNumber("embd_pdrop", EmbeddingDropout);
        writer.WriteNumber("attn_pdrop", AttentionDropout);
        writer.WriteNumber("resid_pdrop", HiddenDropout);
    }
}
