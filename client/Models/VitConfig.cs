using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>ViT's part of <c>config.json</c>.</summary>
public sealed record VitConfig : ImageModelConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "vit";

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public override string ClassName => "ViTForImageClassification";

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

    /// <summary>Whether queries, keys and values have biases.</summary>
    public bool QkvBias { get; init; } = true;

    /// <summary>Share of the numbers behind embeddings, attention and feed-forward layer that training drops.</summary>
    public double HiddenDropout { get; init; }

    /// <summary>Share of the attention probabilities that training drops.</summary>
    public double AttentionDropout { get; init; }

    /// <inheritdoc/>
    public override long BackboneParameters
    {
        get
        {
            long hidden = HiddenSize, inner = IntermediateSize;
            long block = (4 * hidden * hidden) + ((QkvBias ? 4 : 1) * hidden) + (2 * hidden * inner) + inner + hidden + (4 * hidden);
            return (hidden * Image.Channels * Image.PatchHeight * Image.PatchWidth) + ((Image.Patches + 5L) * hidden) + (Layers * block);
        }
    }

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    internal static VitConfig Read(ConfigReader reader)
    {
        VitConfig config = new()
        {
            Task = ModelTask.ImageClassification,
            HiddenSize = reader.WholeNumber("hidden_size", 1, ConfigBounds.WidestLayer, 768),
            InitializerRange = reader.Number("initializer_range", 0, 10, 0.02),
            Labels = reader.NumberedTexts("id2label") ?? ["LABEL_0", "LABEL_1"],
            Image = ImageSize.Read(reader, "num_channels", "image_size", new(3, 224, 224, 16, 16)),
            Layers = reader.WholeNumber("num_hidden_layers", 1, ConfigBounds.MostLayers, 12),
            Heads = reader.WholeNumber("num_attention_heads", 1, ConfigBounds.WidestLayer, 12),
            IntermediateSize = reader.WholeNumber("intermediate_size", 1, ConfigBounds.WidestLayer, 3072),
            Activation = Activation.Read(reader, "hidden_act", "gelu"),
            NormEpsilon = reader.Number("layer_norm_eps", 0, 1, 1e-12),
            QkvBias = reader.Flag("qkv_bias", true),
            HiddenDropout = reader.Number("hidden_dropout_prob", 0, 1, 0),
            AttentionDropout = reader.Number("attention_probs_dropout_prob", 0, 1, 0),
        };
        if (config.HiddenSize % config.Heads != 0)
            reader.Reject("num_attention_heads", $"{config.Heads} does not divide the hidden size ({config.HiddenSize})");
        if (config.Labels.Count < 1)
            reader.Reject("id2label", "a classification head needs at least one label");
        return config;
    }

    /// <inheritdoc/>
    protected override void WriteOwn(Utf8JsonWriter writer)
    {
        writer.WriteNumber("hidden_size", HiddenSize);
        writer.WriteNumber("num_channels", Image.Channels);
        WritePair(writer, "image_size", Image.Height, Image.Width);
        WritePair(writer, "patch_size", Image.PatchHeight, Image.PatchWidth);
        writer.WriteNumber("num_hidden_layers", Layers);
        writer.WriteNumber("num_attention_heads", Heads);
        writer.WriteNumber("intermediate_size", IntermediateSize);
        writer.WriteString("hidden_act", Activation.Name);
        writer.WriteNumber("layer_norm_eps", NormEpsilon);
        writer.WriteBoolean("qkv_bias", QkvBias);
        writer.WriteNumber("hidden_dropout_prob", HiddenDropout);
        writer.WriteNumber("attention_probs_dropout_prob", AttentionDropout);
    }

    private static void WritePair(Utf8JsonWriter writer, string key, int first, int second)
    {
        if (first == second)
        {
            writer.WriteNumber(key, first);
            return;
        }

        writer.WriteStartArray(key);
        writer.WriteNumberValue(first);
        writer.WriteNumberValue(second);
        writer.WriteEndArray();
    }
}
