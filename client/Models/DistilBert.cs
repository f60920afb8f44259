using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>DistilBERT's part of <c>config.json</c>.</summary>
public sealed record DistilBertConfig : EncoderConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "distilbert";

    private static readonly EncoderKeys Keys = new("dim", "n_layers", "n_heads", "hidden_dim", "activation", "dropout", "attention_dropout");

    /// <summary>A configuration made by hand.</summary>
    public DistilBertConfig()
    {
    }

    [SetsRequiredMembers]
    private DistilBertConfig(ConfigReader reader, ModelTask task) : base(reader, task, Keys, padTokenId: 0) =>
        ClassifierDropout = reader.Number("seq_classif_dropout", 0, 1, 0.2);

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public override string ClassName => Task == ModelTask.MaskedLanguageModel ? "DistilBertForMaskedLM" : "DistilBertForSequenceClassification";

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    internal static DistilBertConfig Read(ConfigReader reader, ModelTask task) => new(reader, task);

    /// <inheritdoc/>
    protected override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber(Keys.Hidden, HiddenSize);
        writer.WriteNumber("max_position_embeddings", MaxPositions);
        writer.WriteNumber(Keys.Layers, Layers);
        writer.WriteNumber(Keys.Heads, Heads);
        writer.WriteNumber(Keys.Intermediate, IntermediateSize);
        writer.WriteString(Keys.Activation, Activation.Name);
        // The table of positions is stored like any weight, whichever way it once was made.
        writer.WriteBoolean("sinusoidal_pos_embds", false);
        writer.WriteNumber(Keys.HiddenDropout, HiddenDropout);
        writer.WriteNumber(Keys.AttentionDropout, AttentionDropout);
        writer.WriteNumber("seq_classif_dropout", ClassifierDropout);
    }
}

/// <summary>The DistilBERT encoder: BERT without segments and pooler, under other names.</summary>
/// <remarks>Source: Sanh et al. 2019, arXiv:1910.01108; parameter names as in Hugging Face transformers' <c>DistilBertModel</c>.</remarks>
public sealed class DistilBertBackbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    [ComponentName(Name = "embeddings")] private readonly DistilBertEmbeddings _embeddings;
    [ComponentName(Name = "transformer")] private readonly DistilBertLayers _transformer;

    /// <summary>Creates the encoder with uninitialised weights.</summary>
    public DistilBertBackbone(DistilBertConfig config) : base(nameof(DistilBertBackbone))
    {
        _embeddings = new(config);
        _transformer = new(config);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <inheritdoc/>
    public Parameter? TokenTable => _embeddings.Words.Weight;

    /// <summary>The model under the head that <paramref name="config"/> names, with uninitialised weights.</summary>
    internal static PretrainedModel Build(DistilBertConfig config)
    {
        DistilBertBackbone backbone = new(config);
        if (config.Task == ModelTask.MaskedLanguageModel)
        {
            Projection transform = new(config.HiddenSize, config.HiddenSize, bias: true);
            LayerNorm norm = new(config.HiddenSize, config.NormEpsilon);
            BiasOnly projector = new(config.VocabularySize);
            return new(config, DistilBertConfig.Name, backbone, new MaskedLanguageModelHead(
                [("vocab_transform", transform), ("vocab_layer_norm", norm), ("vocab_projector", projector)], transform, config.Activation, norm, backbone._embeddings.Words, projector.Bias));
        }

        Projection between = new(config.HiddenSize, config.HiddenSize, bias: true), classifier = new(config.HiddenSize, config.Labels.Count, bias: true);
        return new(config, DistilBertConfig.Name, backbone, new FirstTokenHead([("pre_classifier", between), ("classifier", classifier)], between, Activation.Of("relu"), classifier)
        {
            Dropout = config.ClassifierDropout,
        });
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelInput input) => Encode(input, ForwardOptions.None);

    /// <inheritdoc/>
    public Tensor Encode(ModelInput input, ForwardOptions options) => Encoder.Encode(input, options, _embeddings.Embed, _transformer.Blocks);

    /// <summary>A bias whose matrix is the token table.</summary>
    private sealed class BiasOnly : nn.Module
    {
        [ComponentName(Name = "bias")] private readonly Parameter _bias;

        internal BiasOnly(long width) : base(nameof(BiasOnly))
        {
            _bias = Weights.Allocate(width);
            RegisterComponents();
        }

        internal Parameter Bias => _bias;
    }
}

/// <summary>norm(word + position).</summary>
internal sealed class DistilBertEmbeddings : nn.Module
{
    [ComponentName(Name = "word_embeddings")] private readonly TokenEmbedding _words;
    [ComponentName(Name = "position_embeddings")] private readonly TokenEmbedding _positions;
    [ComponentName(Name = "LayerNorm")] private readonly LayerNorm _norm;
    private readonly DistilBertConfig _config;

    internal DistilBertEmbeddings(DistilBertConfig config) : base(nameof(DistilBertEmbeddings))
    {
        _config = config;
        _words = new(config.VocabularySize, config.HiddenSize, config.PadTokenId);
        _positions = new(config.MaxPositions, config.HiddenSize, paddingId: null);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    internal TokenEmbedding Words => _words;

    internal Tensor Embed(SequenceBatch batch)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor places = Encoder.Places(batch.Positions.Span, _config.MaxPositions);
        Tensor sum = _words.call(batch.IdTensor(_config.VocabularySize)) + _positions.call(places);
        return Kernels.Dropout(_norm.call(sum), training ? _config.HiddenDropout : 0).MoveToOuterDisposeScope();
    }
}

/// <summary>The blocks under their name.</summary>
internal sealed class DistilBertLayers : nn.Module
{
    [ComponentName(Name = "layer")] private readonly ModuleList<DistilBertBlock> _layers;

    internal DistilBertLayers(DistilBertConfig config) : base(nameof(DistilBertLayers))
    {
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(layer => new DistilBertBlock(config, layer))]);
        Blocks = [.. _layers];
        RegisterComponents();
    }

    internal IReadOnlyList<DistilBertBlock> Blocks { get; }
}

/// <summary>One block: norm(x + attention(x)), then norm(x + feed-forward(x)).</summary>
internal sealed class DistilBertBlock : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "attention")] private readonly DistilBertAttention _attention;
    [ComponentName(Name = "sa_layer_norm")] private readonly LayerNorm _attentionNorm;
    [ComponentName(Name = "ffn")] private readonly DistilBertFeedForward _feedForward;
    [ComponentName(Name = "output_layer_norm")] private readonly LayerNorm _outputNorm;

    internal DistilBertBlock(DistilBertConfig config, int layer) : base(nameof(DistilBertBlock))
    {
        _attention = new(config, layer);
        _attentionNorm = new(config.HiddenSize, config.NormEpsilon);
        _feedForward = new(config);
        _outputNorm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor attended = _attentionNorm.call(input2.Keep(input1) + _attention.call(input1, input2));
        return _outputNorm.call(attended + _feedForward.call(attended)).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention.</summary>
internal sealed class DistilBertAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "q_lin")] private readonly Projection _query;
    [ComponentName(Name = "k_lin")] private readonly Projection _key;
    [ComponentName(Name = "v_lin")] private readonly Projection _value;
    [ComponentName(Name = "out_lin")] private readonly Projection _output;
    private readonly int _layer, _heads, _width;
    private readonly double _dropout;

    internal DistilBertAttention(DistilBertConfig config, int layer) : base(nameof(DistilBertAttention))
    {
        (_layer, _heads, _width, _dropout) = (layer, config.Heads, config.HiddenSize / config.Heads, config.AttentionDropout);
        _query = new(config.HiddenSize, config.HiddenSize, bias: true);
        _key = new(config.HiddenSize, config.HiddenSize, bias: true);
        _value = new(config.HiddenSize, config.HiddenSize, bias: true);
        _output = new(config.HiddenSize, config.HiddenSize, bias: true);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Heads(Projection projection) => projection.call(input1).view(-1, _heads, _width);
        Tensor mixed = input2.Attend(_layer, Heads(_query), Heads(_key), Heads(_value), 1 / Math.Sqrt(_width), training ? _dropout : 0);
        return _output.call(input2.Keep(mixed)).MoveToOuterDisposeScope();
    }
}

/// <summary>lin2(activation(lin1(x))).</summary>
internal sealed class DistilBertFeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "lin1")] private readonly Projection _inner;
    [ComponentName(Name = "lin2")] private readonly Projection _outer;
    private readonly Activation _activation;
    private readonly double _dropout;

    internal DistilBertFeedForward(DistilBertConfig config) : base(nameof(DistilBertFeedForward))
    {
        _inner = new(config.HiddenSize, config.IntermediateSize, bias: true);
        _outer = new(config.IntermediateSize, config.HiddenSize, bias: true);
        (_activation, _dropout) = (config.Activation, config.HiddenDropout);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        return Kernels.Dropout(_outer.call(_activation.Apply(_inner.call(input))), training ? _dropout : 0).MoveToOuterDisposeScope();
    }
}
