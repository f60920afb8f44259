using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>The <c>config.json</c> of a decoder with Llama's blocks; other families of that kind add what they do otherwise.</summary>
public record LlamaConfig : TextModelConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "llama";

    private const string ActivationKey = "hidden_act", DefaultActivation = "silu";

    /// <summary>A configuration made by hand.</summary>
    public LlamaConfig()
    {
    }

    /// <summary>Reads and checks the configuration of a family; problems are left in <paramref name="reader"/>.</summary>
    /// <param name="reader">Reads <c>config.json</c>.</param>
    /// <param name="task">The head.</param>
    /// <param name="maxPositions">Longest sequence where the file does not say.</param>
    /// <param name="keyValueHeads">Number of key and value heads where the file does not say; null for that of the query heads.</param>
    [SetsRequiredMembers]
    protected LlamaConfig(ConfigReader reader, ModelTask task, int maxPositions, int? keyValueHeads) : base(reader, task, maxPositions)
    {
        Layers = reader.WholeNumber("num_hidden_layers", 1, ConfigBounds.MostLayers);
        Heads = reader.WholeNumber("num_attention_heads", 1, ConfigBounds.WidestLayer);
        KeyValueHeads = reader.WholeNumber("num_key_value_heads", 1, ConfigBounds.WidestLayer, reader.IsNull("num_key_value_heads") ? Heads : keyValueHeads ?? Heads);
        HeadSize = reader.WholeNumber("head_dim", 2, ConfigBounds.WidestLayer, Math.Max(2, HiddenSize / Heads));
        IntermediateSize = reader.WholeNumber("intermediate_size", 1, ConfigBounds.WidestLayer);
        NormEpsilon = reader.Number("rms_norm_eps", 0, 1, 1e-6);
        Activation = Activation.Read(reader, ActivationKey, DefaultActivation);
        Rotary = RotaryConfig.Read(reader, HeadSize, MaxPositions);
        AttentionDropout = reader.Number("attention_dropout", 0, 1, 0);
        TieWordEmbeddings = reader.Flag("tie_word_embeddings", false);
        if (Heads % KeyValueHeads != 0)
            reader.Reject("num_key_value_heads", $"{KeyValueHeads} does not divide num_attention_heads ({Heads})");
        if (!reader.Has("head_dim") && HiddenSize % Heads != 0)
            reader.Reject("hidden_size", $"{HiddenSize} is no multiple of num_attention_heads ({Heads})");
    }

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public sealed override string ClassName => ClassPrefix + (Task == ModelTask.CausalLanguageModel ? "ForCausalLM" : "ForSequenceClassification");

    /// <summary>What the family's class names start with.</summary>
    protected virtual string ClassPrefix => "Llama";

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Number of key and value heads; divides <see cref="Heads"/> (Ainslie et al. 2023, arXiv:2305.13245).</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of a head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Added to the mean square before its root.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>The function of the feed-forward layer's gate.</summary>
    public Activation Activation { get; init; } = Activation.Of(DefaultActivation);

    /// <summary>Rotary positions.</summary>
    public RotaryConfig Rotary { get; init; } = new();

    /// <summary>Share of the attention probabilities that training drops.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Whether the query, key and value projections have biases.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Whether the attention's output projection has a bias.</summary>
    public virtual bool AttentionOutputBias => AttentionBias;

    /// <summary>Whether the three feed-forward projections have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Whether the output head shares the token table.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>How many keys a query of a layer sees, itself among them; null for all before it.</summary>
    public virtual int? Window(int layer) => null;

    /// <inheritdoc/>
    public sealed override long BackboneParameters
    {
        get
        {
            long hidden = HiddenSize, query = (long)Heads * HeadSize, key = (long)KeyValueHeads * HeadSize, inner = IntermediateSize;
            long attention = (2 * hidden * query) + (2 * hidden * key) + (AttentionBias ? query + key + key : 0) + (AttentionOutputBias ? hidden : 0);
            long feedForward = (3 * hidden * inner) + (FeedForwardBias ? inner + inner + hidden : 0);
            return (VocabularySize * hidden) + (Layers * (attention + feedForward + (2 * hidden))) + hidden;
        }
    }

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    internal static LlamaConfig Read(ConfigReader reader, ModelTask task)
    {
        if (reader.WholeNumber("pretraining_tp", 1, int.MaxValue, 1) != 1)
            reader.Reject("pretraining_tp", "tensor-parallel pretraining emulation is not supported; set it to 1");
        return new(reader, task, maxPositions: 2048, keyValueHeads: null)
        {
            AttentionBias = reader.Flag("attention_bias", false),
            FeedForwardBias = reader.Flag("mlp_bias", false),
        };
    }

    /// <summary>Writes the keys that only this family has.</summary>
    protected virtual void WriteFamily(Utf8JsonWriter writer)
    {
        writer.WriteBoolean("attention_bias", AttentionBias);
        writer.WriteBoolean("mlp_bias", FeedForwardBias);
    }

    /// <inheritdoc/>
    public override (int Layers, int Heads, int Width)? KeyValueShape => (Layers, KeyValueHeads, HeadSize);

    /// <inheritdoc/>
    protected sealed override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber("hidden_size", HiddenSize);
        writer.WriteNumber("max_position_embeddings", MaxPositions);
        writer.WriteNumber("num_hidden_layers", Layers);
        writer.WriteNumber("num_attention_heads", Heads);
        writer.WriteNumber("num_key_value_heads", KeyValueHeads);
        if (HeadSize * Heads != HiddenSize)
            writer.WriteNumber("head_dim", HeadSize);
        writer.WriteNumber("intermediate_size", IntermediateSize);
        writer.WriteString(ActivationKey, Activation.Name);
        writer.WriteNumber("rms_norm_eps", NormEpsilon);
        Rotary.Write(writer);
        writer.WriteBoolean("tie_word_embeddings", TieWordEmbeddings);
        writer.WriteNumber("attention_dropout", AttentionDropout);
        WriteFamily(writer);
    }
}
