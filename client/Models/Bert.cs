using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

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
        return new(config, BertConfig.Name, backbone, new FirstTokenHead([("classifier", classifier)], backbone._pooler!.Dense, Activation.Of("tanh"), classifier)
        {
            Dropout = config.ClassifierDropout,
        });
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
        Tensor places = Encoder.Places(_config.CountsPositionsPastPadding ? Roberta.Positions(batch, _config.PadTokenId!.Value) : batch.Positions.Span, _config.MaxPositions);
        Tensor sum = _words.call(batch.IdTensor(_config.VocabularySize)) + _types.call(batch.TypeTensor(_config.TokenTypes)) + _positions.call(places);
        return Kernels.Dropout(_norm.call(sum), training ? _config.HiddenDropout : 0).MoveToOuterDisposeScope();
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
    private readonly double _dropout;

    internal BertSelfAttention(BertConfig config, int layer) : base(nameof(BertSelfAttention))
    {
        (_layer, _heads, _width, _dropout) = (layer, config.Heads, config.HiddenSize / config.Heads, config.AttentionDropout);
        _query = new(config.HiddenSize, config.HiddenSize, bias: true);
        _key = new(config.HiddenSize, config.HiddenSize, bias: true);
        _value = new(config.HiddenSize, config.HiddenSize, bias: true);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Heads(Projection projection) => projection.call(input1).view(-1, _heads, _width);
        return input2.Attend(_layer, Heads(_query), Heads(_key), Heads(_value), 1 / Math.Sqrt(_width), training ? _dropout : 0).MoveToOuterDisposeScope();
    }
}

/// <summary>norm(residual + W x + b).</summary>
internal sealed class BertOutput : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "dense")] private readonly Projection _dense;
    [ComponentName(Name = "LayerNorm")] private readonly LayerNorm _norm;
    private readonly double _dropout;

    internal BertOutput(long inputs, BertConfig config) : base(nameof(BertOutput))
    {
        _dropout = config.HiddenDropout;
        _dense = new(inputs, config.HiddenSize, bias: true);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, Tensor input2)
    {
        using DisposeScope scope = NewDisposeScope();
        return _norm.call(input2 + Kernels.Dropout(_dense.call(input1), training ? _dropout : 0)).MoveToOuterDisposeScope();
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
