using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>BERT's part of <c>config.json</c>, and RoBERTa's, which has the same keys.</summary>
public sealed record BertConfig : EncoderConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "bert";

    private bool _isRoberta;

    /// <inheritdoc/>
    public override string ModelType => _isRoberta ? Roberta.Name : Name;

    /// <inheritdoc/>
    public override string ClassName => $"{(_isRoberta ? "Roberta" : "Bert")}{(Task == ModelTask.MaskedLanguageModel ? "ForMaskedLM" : "ForSequenceClassification")}";

    /// <summary>Whether positions are counted from the padding id on, over the tokens that are no padding.</summary>
    internal bool CountsPositionsPastPadding => _isRoberta;

    internal static BertConfig Read(ConfigReader reader, ModelTask task) => Read(reader, task, isRoberta: false);

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    internal static BertConfig Read(ConfigReader reader, ModelTask task, bool isRoberta)
    {
        int vocabulary = reader.WholeNumber("vocab_size", 1, ConfigBounds.LargestVocabulary);
        BertConfig config = new()
        {
            _isRoberta = isRoberta,
            Task = task,
            VocabularySize = vocabulary,
            HiddenSize = reader.WholeNumber("hidden_size", 1, ConfigBounds.WidestLayer, 768),
            MaxPositions = reader.WholeNumber("max_position_embeddings", 1, ConfigBounds.LongestContext, 512),
            InitializerRange = reader.Number("initializer_range", 0, 10, 0.02),
            PadTokenId = reader.OptionalWholeNumber("pad_token_id", 0, vocabulary - 1) ?? (isRoberta ? 1 : 0),
            BosTokenId = reader.OptionalWholeNumber("bos_token_id", 0, vocabulary - 1),
            EosTokenId = reader.OptionalWholeNumber("eos_token_id", 0, vocabulary - 1),
            Labels = reader.NumberedTexts("id2label") ?? ["LABEL_0", "LABEL_1"],
            Layers = reader.WholeNumber("num_hidden_layers", 1, ConfigBounds.MostLayers, 12),
            Heads = reader.WholeNumber("num_attention_heads", 1, ConfigBounds.WidestLayer, 12),
            IntermediateSize = reader.WholeNumber("intermediate_size", 1, ConfigBounds.WidestLayer, 3072),
            Activation = Activation.Read(reader, "hidden_act", "gelu"),
            NormEpsilon = reader.Number("layer_norm_eps", 0, 1, 1e-12),
            TokenTypes = reader.WholeNumber("type_vocab_size", 1, ConfigBounds.MostTokenTypes, 2),
        };
        config.Check(reader, "num_attention_heads");
        reader.Supports("position_embedding_type", "absolute");
        foreach (string key in (string[])["is_decoder", "add_cross_attention"])
        {
            if (reader.Flag(key, false))
                reader.Reject(key, "only the encoder is supported; set it to false");
        }

        if (isRoberta && config.MaxPositions < config.PadTokenId + 2)
            reader.Reject("max_position_embeddings", $"positions begin after the padding id ({config.PadTokenId}), so at least {config.PadTokenId + 2} are needed, got {config.MaxPositions}");
        return config;
    }

    /// <inheritdoc/>
    protected override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber("hidden_size", HiddenSize);
        writer.WriteNumber("max_position_embeddings", MaxPositions);
        writer.WriteNumber("num_hidden_layers", Layers);
        writer.WriteNumber("num_attention_heads", Heads);
        writer.WriteNumber("intermediate_size", IntermediateSize);
        writer.WriteString("hidden_act", Activation.Name);
        writer.WriteNumber("layer_norm_eps", NormEpsilon);
        writer.WriteNumber("type_vocab_size", TokenTypes);
        writer.WriteString("position_embedding_type", "absolute");
        writer.WriteNumber("hidden_dropout_prob", 0.0);
        writer.WriteNumber("attention_probs_dropout_prob", 0.0);
    }
}

/// <summary>The BERT encoder: learned positions and segments, post-norm blocks; RoBERTa's is the same but for its positions.</summary>
/// <remarks>
/// Sources: Devlin et al. 2019, arXiv:1810.04805; Liu et al. 2019, arXiv:1907.11692; parameter names as in Hugging Face transformers'
/// <c>BertModel</c>. The pooler belongs to BERT's classification head, but its parameters stand here.
/// </remarks>
public sealed class BertBackbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    [ComponentName(Name = "embeddings")] private readonly BertEmbeddings _embeddings;
    [ComponentName(Name = "encoder")] private readonly BertLayers _encoder;
    [ComponentName(Name = "pooler")] private readonly DenseLayer? _pooler;

    /// <summary>Creates the encoder with uninitialised weights.</summary>
    public BertBackbone(BertConfig config) : base(nameof(BertBackbone))
    {
        _embeddings = new(config);
        _encoder = new(config);
        if (config.Task == ModelTask.SequenceClassification && !config.CountsPositionsPastPadding)
            _pooler = new(config.HiddenSize, config.HiddenSize);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <inheritdoc/>
    public Parameter? TokenTable => _embeddings.Words.Weight;

    internal TokenEmbedding Words => _embeddings.Words;

    /// <summary>BERT under the head that <paramref name="config"/> names, with uninitialised weights.</summary>
    internal static PretrainedModel Build(BertConfig config)
    {
        BertBackbone backbone = new(config);
        if (config.Task == ModelTask.MaskedLanguageModel)
        {
            BertPredictions predictions = new(config);
            return new(config, BertConfig.Name, backbone, predictions.Head(config, backbone.Words));
        }

        Projection classifier = new(config.HiddenSize, config.Labels.Count, bias: true);
        return new(config, BertConfig.Name, backbone, new FirstTokenHead([("classifier", classifier)], backbone._pooler!.Dense, Activation.Of("tanh"), classifier));
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelInput input) => Encode(input, ForwardOptions.None);

    /// <inheritdoc/>
    public Tensor Encode(ModelInput input, ForwardOptions options) => Encoder.Encode(input, options, _embeddings.Embed, _encoder.Blocks);
}

/// <summary>norm(word + segment + position).</summary>
internal sealed class BertEmbeddings : nn.Module
{
    [ComponentName(Name = "word_embeddings")] private readonly TokenEmbedding _words;
    [ComponentName(Name = "position_embeddings")] private readonly TokenEmbedding _positions;
    [ComponentName(Name = "token_type_embeddings")] private readonly TokenEmbedding _types;
    [ComponentName(Name = "LayerNorm")] private readonly LayerNorm _norm;
    private readonly BertConfig _config;

    internal BertEmbeddings(BertConfig config) : base(nameof(BertEmbeddings))
    {
        _config = config;
        _words = new(config.VocabularySize, config.HiddenSize, config.PadTokenId);
        _positions = new(config.MaxPositions, config.HiddenSize, config.CountsPositionsPastPadding ? config.PadTokenId : null);
        _types = new(config.TokenTypes, config.HiddenSize, paddingId: null);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    internal TokenEmbedding Words => _words;

    internal Tensor Embed(SequenceBatch batch)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor places = _config.CountsPositionsPastPadding
            ? Encoder.Places(Roberta.Positions(batch, _config.PadTokenId!.Value), _config.MaxPositions)
            : Encoder.Places(batch.Positions.Span, _config.MaxPositions);
        Tensor sum = _words.call(batch.IdTensor(_config.VocabularySize)) + _types.call(batch.TypeTensor(_config.TokenTypes)) + _positions.call(places);
        return _norm.call(sum).MoveToOuterDisposeScope();
    }
}

/// <summary>The blocks under their name.</summary>
internal sealed class BertLayers : nn.Module
{
    [ComponentName(Name = "layer")] private readonly ModuleList<BertBlock> _layers;

    internal BertLayers(BertConfig config) : base(nameof(BertLayers))
    {
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(layer => new BertBlock(config, layer))]);
        Blocks = [.. _layers];
        RegisterComponents();
    }

    internal IReadOnlyList<BertBlock> Blocks { get; }
}

/// <summary>One block: norm(x + attention(x)), then norm(x + feed-forward(x)).</summary>
internal sealed class BertBlock : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "attention")] private readonly BertAttention _attention;
    [ComponentName(Name = "intermediate")] private readonly DenseLayer _intermediate;
    [ComponentName(Name = "output")] private readonly BertOutput _output;
    private readonly Activation _activation;

    internal BertBlock(BertConfig config, int layer) : base(nameof(BertBlock))
    {
        _attention = new(config, layer);
        _intermediate = new(config.HiddenSize, config.IntermediateSize);
        _output = new(config.IntermediateSize, config);
        _activation = config.Activation;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor attended = _attention.call(input1, input2);
        return _output.call(_activation.Apply(_intermediate.Dense.call(attended)), attended).MoveToOuterDisposeScope();
    }
}

/// <summary>norm(x + W·attention(x) + b).</summary>
internal sealed class BertAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "self")] private readonly BertSelfAttention _self;
    [ComponentName(Name = "output")] private readonly BertOutput _output;

    internal BertAttention(BertConfig config, int layer) : base(nameof(BertAttention))
    {
        _self = new(config, layer);
        _output = new(config.HiddenSize, config);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        return _output.call(input2.Keep(_self.call(input1, input2)), input2.Keep(input1)).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention without an output matrix.</summary>
internal sealed class BertSelfAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "query")] private readonly Projection _query;
    [ComponentName(Name = "key")] private readonly Projection _key;
    [ComponentName(Name = "value")] private readonly Projection _value;
    private readonly int _layer, _heads, _width;

    internal BertSelfAttention(BertConfig config, int layer) : base(nameof(BertSelfAttention))
    {
        (_layer, _heads, _width) = (layer, config.Heads, config.HiddenSize / config.Heads);
        _query = new(config.HiddenSize, config.HiddenSize, bias: true);
        _key = new(config.HiddenSize, config.HiddenSize, bias: true);
        _value = new(config.HiddenSize, config.HiddenSize, bias: true);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Heads(Projection projection) => projection.call(input1).view(-1, _heads, _width);
        return input2.Attend(_layer, Heads(_query), Heads(_key), Heads(_value), 1 / Math.Sqrt(_width)).MoveToOuterDisposeScope();
    }
}

/// <summary>norm(residual + W x + b).</summary>
internal sealed class BertOutput : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "dense")] private readonly Projection _dense;
    [ComponentName(Name = "LayerNorm")] private readonly LayerNorm _norm;

    internal BertOutput(long inputs, BertConfig config) : base(nameof(BertOutput))
    {
        _dense = new(inputs, config.HiddenSize, bias: true);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, Tensor input2)
    {
        using DisposeScope scope = NewDisposeScope();
        return _norm.call(input2 + _dense.call(input1)).MoveToOuterDisposeScope();
    }
}

/// <summary>The masked-language-model head's modules under their names: <c>cls.predictions.transform</c> and <c>cls.predictions.bias</c>.</summary>
internal sealed class BertPredictions : nn.Module
{
    [ComponentName(Name = "predictions")] private readonly Prediction _predictions;

    internal BertPredictions(BertConfig config) : base(nameof(BertPredictions))
    {
        _predictions = new(config);
        RegisterComponents();
    }

    internal MaskedLanguageModelHead Head(BertConfig config, TokenEmbedding table) =>
        new([("cls", this)], _predictions.Transform.Dense, config.Activation, _predictions.Transform.Norm, table, _predictions.Bias);

    private sealed class Prediction : nn.Module
    {
        [ComponentName(Name = "bias")] private readonly Parameter _bias;
        [ComponentName(Name = "transform")] private readonly Transforming _transform;

        internal Prediction(BertConfig config) : base(nameof(Prediction))
        {
            (_bias, _transform) = (Weights.Allocate(config.VocabularySize), new(config));
            RegisterComponents();
        }

        internal Parameter Bias => _bias;

        internal Transforming Transform => _transform;
    }

    private sealed class Transforming : nn.Module
    {
        [ComponentName(Name = "dense")] private readonly Projection _dense;
        [ComponentName(Name = "LayerNorm")] private readonly LayerNorm _norm;

        internal Transforming(BertConfig config) : base(nameof(Transforming))
        {
            _dense = new(config.HiddenSize, config.HiddenSize, bias: true);
            _norm = new(config.HiddenSize, config.NormEpsilon);
            RegisterComponents();
        }

        internal Projection Dense => _dense;

        internal LayerNorm Norm => _norm;
    }
}
