using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The GPT-2 decoder: learned positions, pre-norm blocks, and weights stored (in, out).</summary>
/// <remarks>
/// Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; parameter names and layouts as in Hugging Face transformers'
/// <c>GPT2Model</c>. Works on flat positions, (n, hidden); only attention knows where rows begin.
/// </remarks>
public sealed class Gpt2Backbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    private const string BackboneName = "transformer";
    [ComponentName(Name = "wte")] private readonly TokenEmbedding _tokens;
    [ComponentName(Name = "wpe")] private readonly TokenEmbedding _positions;
    [ComponentName(Name = "h")] private readonly ModuleList<Gpt2Block> _blocks;
    [ComponentName(Name = "ln_f")] private readonly LayerNorm _norm;
    private readonly Gpt2Config _config;

    /// <summary>Creates the decoder with uninitialised weights.</summary>
    public Gpt2Backbone(Gpt2Config config) : base(nameof(Gpt2Backbone))
    {
        _config = config;
        // GPT-2 has no padding token of its own: one that a user names gets gradients like any other, as in transformers.
        _tokens = new(config.VocabularySize, config.HiddenSize, paddingId: null);
        _positions = new(config.MaxPositions, config.HiddenSize, paddingId: null);
        _blocks = new([.. Enumerable.Range(0, config.Layers).Select(layer => new Gpt2Block(config, layer))]);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    /// <summary>How to read and build it; older checkpoints store the causal mask.</summary>
    internal static Architecture Architecture { get; } = Decoder.Architecture(
        Gpt2Config.Name, BackboneName, ("GPT2LMHeadModel", "GPT2ForSequenceClassification", "GPT2Model"), static (reader, task) => new Gpt2Config(reader, task), Build,
        buffers: [".attn.bias", ".attn.masked_bias"]);

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <inheritdoc/>
    public Parameter? TokenTable => _tokens.Weight;

    /// <inheritdoc/>
    public override Tensor forward(ModelInput input) => Encode(input, ForwardOptions.None);

    /// <inheritdoc/>
    public Tensor Encode(ModelInput input, ForwardOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        SequenceBatch batch = SequenceBatch.Of(input);
        AttentionLayout layout = new(batch, AttentionPattern.UpToSelf, options);
        Tensor embedded = _tokens.call(batch.IdTensor(_config.VocabularySize)) + _positions.call(layout.PositionTensor(_config.MaxPositions));
        Tensor dropped = Kernels.Dropout(embedded, training ? _config.EmbeddingDropout : 0);
        return Decoder.Run(dropped, _blocks, _ => layout, _norm, options).MoveToOuterDisposeScope();
    }

    private static PretrainedModel Build(Gpt2Config config)
    {
        Gpt2Backbone backbone = new(config);
        return Decoder.UnderHead(config, BackboneName, backbone, () => config.TieWordEmbeddings
            ? LanguageModelHead.Tied(backbone._tokens.Weight)
            : LanguageModelHead.Separate(config.HiddenSize, config.VocabularySize));
    }
}

/// <summary>One decoder block: x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
internal sealed class Gpt2Block : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "ln_1")] private readonly LayerNorm _attentionNorm;
    [ComponentName(Name = "attn")] private readonly Gpt2Attention _attention;
    [ComponentName(Name = "ln_2")] private readonly LayerNorm _feedForwardNorm;
    [ComponentName(Name = "mlp")] private readonly FeedForward _feedForward;
    private readonly double _dropout;

    internal Gpt2Block(Gpt2Config config, int layer) : base(nameof(Gpt2Block))
    {
        _dropout = config.HiddenDropout;
        _attentionNorm = new(config.HiddenSize, config.NormEpsilon);
        _attention = new(config, layer);
        _feedForwardNorm = new(config.HiddenSize, config.NormEpsilon);
        _feedForward = new(("c_fc", Projection.Transposed(config.HiddenSize, config.IntermediateSize, bias: true)), config.Activation, ("c_proj", Projection.Transposed(config.IntermediateSize, config.HiddenSize, bias: true)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        double dropout = training ? _dropout : 0;
        Tensor attended = input2.Keep(input1) + Kernels.Dropout(_attention.call(_attentionNorm.call(input1), input2), dropout);
        return (attended + Kernels.Dropout(_feedForward.call(_feedForwardNorm.call(attended)), dropout)).MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention whose query, key and value come from one product.</summary>
internal sealed class Gpt2Attention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "c_attn")] private readonly Projection _queryKeyValue;
    [ComponentName(Name = "c_proj")] private readonly Projection _output;
    private readonly int _layer, _heads, _width;
    private readonly double _scale, _dropout;

    internal Gpt2Attention(Gpt2Config config, int layer) : base(nameof(Gpt2Attention))
    {
        (_layer, _heads, _width) = (layer, config.Heads, config.HiddenSize / config.Heads);
        _scale = (config.ScaleByWidth ? 1 / Math.Sqrt(_width) : 1) / (config.ScaleByLayer ? layer + 1 : 1);
        _dropout = config.AttentionDropout;
        _queryKeyValue = Projection.Transposed(config.HiddenSize, 3L * config.HiddenSize, bias: true);
        _output = Projection.Transposed(config.HiddenSize, config.HiddenSize, bias: true);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] parts = _queryKeyValue.call(input1).view(-1, 3, _heads, _width).unbind(1);
        Tensor mixed = input2.Attend(_layer, parts[0], parts[1], parts[2], _scale, training ? _dropout : 0);
        return _output.call(input2.Keep(mixed)).MoveToOuterDisposeScope();
    }
}
