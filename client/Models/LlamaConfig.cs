using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>The Llama family's part of <c>config.json</c>.</summary>
public sealed record LlamaConfig : TextModelConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "llama";

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public override string ClassName => Task switch
    {
        ModelTask.CausalLanguageModel => "LlamaForCausalLM",
        _ => "LlamaForSequenceClassification",
    };

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Number of key and value heads; divides <see cref="Heads"/> (Ainslie et al. 2023, arXiv:2305.13245).</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of a head, even.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Added to the mean square before its root.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary>Positions are divided by this before rotation; 1 for none.</summary>
    public double RopeFactor { get; init; } = 1;

    /// <summary>Whether the four attention projections have biases.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Whether the three feed-forward projections have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Whether the output head shares the token table.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <inheritdoc/>
    public override long BackboneParameters
    {
        get
        {
            long hidden = HiddenSize, query = (long)Heads * HeadSize, key = (long)KeyValueHeads * HeadSize, inner = IntermediateSize;
            long attention = (2 * hidden * query) + (2 * hidden * key) + (AttentionBias ? query + key + key + hidden : 0);
            long feedForward = (3 * hidden * inner) + (FeedForwardBias ? inner + inner + hidden : 0);
            return (VocabularySize * hidden) + (Layers * (attention + feedForward + (2 * hidden))) + hidden;
        }
    }

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    internal static LlamaConfig Read(ConfigReader reader, ModelTask task)
    {
        int hidden = reader.WholeNumber("hidden_size", 1, ConfigBounds.WidestLayer), heads = reader.WholeNumber("num_attention_heads", 1, ConfigBounds.WidestLayer);
        int keyHeads = reader.WholeNumber("num_key_value_heads", 1, ConfigBounds.WidestLayer, heads);
        int vocabulary = reader.WholeNumber("vocab_size", 1, ConfigBounds.LargestVocabulary);
        LlamaConfig config = new()
        {
            Task = task,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            MaxPositions = reader.WholeNumber("max_position_embeddings", 1, ConfigBounds.LongestContext, 2048),
            InitializerRange = reader.Number("initializer_range", 0, 10, 0.02),
            PadTokenId = reader.OptionalWholeNumber("pad_token_id", 0, vocabulary - 1),
            BosTokenId = reader.OptionalWholeNumber("bos_token_id", 0, vocabulary - 1),
            EosTokenId = reader.OptionalWholeNumber("eos_token_id", 0, vocabulary - 1),
            Labels = reader.NumberedTexts("id2label") ?? ["LABEL_0", "LABEL_1"],
            Layers = reader.WholeNumber("num_hidden_layers", 1, ConfigBounds.MostLayers),
            Heads = heads,
            KeyValueHeads = keyHeads,
            HeadSize = reader.WholeNumber("head_dim", 2, ConfigBounds.WidestLayer, Math.Max(2, hidden / heads)),
            IntermediateSize = reader.WholeNumber("intermediate_size", 1, ConfigBounds.WidestLayer),
            NormEpsilon = reader.Number("rms_norm_eps", 0, 1, 1e-6),
            RopeTheta = reader.Number("rope_theta", 1, 1e12, reader.Section("rope_parameters")?.Number("rope_theta", 1, 1e12, 10000) ?? 10000),
            RopeFactor = ReadRopeFactor(reader),
            AttentionBias = reader.Flag("attention_bias", false),
            FeedForwardBias = reader.Flag("mlp_bias", false),
            TieWordEmbeddings = reader.Flag("tie_word_embeddings", false),
        };
        config.Check(reader);
        return config;
    }

    /// <inheritdoc/>
    protected override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber("hidden_size", HiddenSize);
        writer.WriteNumber("max_position_embeddings", MaxPositions);
        writer.WriteNumber("num_hidden_layers", Layers);
        writer.WriteNumber("num_attention_heads", Heads);
        writer.WriteNumber("num_key_value_heads", KeyValueHeads);
        if (HeadSize * Heads != HiddenSize)
            writer.WriteNumber("head_dim", HeadSize);
        writer.WriteNumber("intermediate_size", IntermediateSize);
        writer.WriteString("hidden_act", "silu");
        writer.WriteNumber("rms_norm_eps", NormEpsilon);
        writer.WriteNumber("rope_theta", RopeTheta);
        if (RopeFactor == 1)
        {
            writer.WriteNull("rope_scaling");
        }
        else
        {
            writer.WriteStartObject("rope_scaling");
            writer.WriteString("type", "linear");
            writer.WriteNumber("factor", RopeFactor);
            writer.WriteEndObject();
        }

        writer.WriteBoolean("attention_bias", AttentionBias);
        writer.WriteBoolean("mlp_bias", FeedForwardBias);
        writer.WriteBoolean("tie_word_embeddings", TieWordEmbeddings);
        writer.WriteNumber("attention_dropout", 0.0);
    }

    private static double ReadRopeFactor(ConfigReader reader)
    {
        ConfigReader? scaling = reader.Section("rope_scaling") ?? reader.Section("rope_parameters");
        scaling?.Supports("type", "linear", "default");
        scaling?.Supports("rope_type", "linear", "default");
        return (scaling?.Text("rope_type") ?? scaling?.Text("type")) == "linear" ? scaling!.Number("factor", 1, 1e6) : 1;
    }

    private void Check(ConfigReader reader)
    {
        reader.Supports("hidden_act", "silu");
        if (Heads % KeyValueHeads != 0)
            reader.Reject("num_key_value_heads", $"{KeyValueHeads} does not divide num_attention_heads ({Heads})");
        if (HeadSize % 2 != 0)
            reader.Reject("head_dim", $"rotary embedding turns pairs: a head needs an even width, got {HeadSize}");
        if (!reader.Has("head_dim") && HiddenSize % Heads != 0)
            reader.Reject("hidden_size", $"{HiddenSize} is no multiple of num_attention_heads ({Heads})");
        if (reader.Number("attention_dropout", 0, 1, 0) > 0)
            reader.Reject("attention_dropout", "dropout on attention probabilities is not supported; set it to 0");
        if (reader.WholeNumber("pretraining_tp", 1, int.MaxValue, 1) != 1)
            reader.Reject("pretraining_tp", "tensor-parallel pretraining emulation is not supported; set it to 1");
        if (Task == ModelTask.SequenceClassification && Labels.Count < 1)
            reader.Reject("id2label", "a classification head needs at least one label");
    }
}
