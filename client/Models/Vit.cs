using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The vision transformer: patches behind a class token, learned positions, pre-norm blocks.</summary>
/// <remarks>Source: Dosovitskiy et al. 2021, arXiv:2010.11929; parameter names as in Hugging Face transformers' <c>ViTModel</c>.</remarks>
public sealed class VitBackbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    [ComponentName(Name = "embeddings")] private readonly VitEmbeddings _embeddings;
    [ComponentName(Name = "encoder")] private readonly VitLayers _encoder;
    [ComponentName(Name = "layernorm")] private readonly LayerNorm _norm;
    private readonly ImageSize _image;

    /// <summary>Creates the encoder with uninitialised weights.</summary>
    public VitBackbone(VitConfig config) : base(nameof(VitBackbone))
    {
        _image = config.Image;
        _embeddings = new(config);
        _encoder = new(config);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <inheritdoc/>
    public Parameter? TokenTable => null;

    /// <summary>The model with uninitialised weights.</summary>
    internal static PretrainedModel Build(VitConfig config)
    {
        Projection classifier = new(config.HiddenSize, config.Labels.Count, bias: true);
        int width = config.Image.Patches + 1;
        long[] ClassTokens(ModelInput input) => [.. Enumerable.Range(0, input.Rows).Select(row => (long)row * width)];
        return new(config, VitConfig.Name, new VitBackbone(config), new FirstTokenHead([("classifier", classifier)], null, Activation.Of("tanh"), classifier, ClassTokens));
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelInput input) => Encode(input, ForwardOptions.None);

    /// <summary>Hidden states of the wanted positions after the final norm; a trace shows those before it.</summary>
    public Tensor Encode(ModelInput input, ForwardOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        ImageBatch images = ImageBatch.Of(input, _image);
        Tensor? wanted = options.Positions is { } positions ? tensor(positions, [positions.Length]) : null;
        AttentionLayout layout = new(images.Rows, _image.Patches + 1, options);
        AttentionLayout last = wanted is null || options.Trace is not null ? layout : layout.Keeping(wanted);
        Tensor hidden = _embeddings.Embed(images);
        options.Trace?.AddHidden(hidden);
        for (int i = 0; i < _encoder.Blocks.Count; i++)
        {
            Tensor next = _encoder.Blocks[i].call(hidden, i == _encoder.Blocks.Count - 1 ? last : layout);
            hidden.Dispose();
            hidden = next;
            options.Trace?.AddHidden(hidden);
        }

        Tensor normed = _norm.call(hidden);
        return (wanted is not null && options.Trace is not null ? normed.index_select(0, wanted) : normed).MoveToOuterDisposeScope();
    }
}

/// <summary>The class token, then the projected patches, each plus its position.</summary>
internal sealed class VitEmbeddings : nn.Module
{
    [ComponentName(Name = "cls_token")] private readonly Parameter _classToken;
    [ComponentName(Name = "position_embeddings")] private readonly Parameter _positions;
    [ComponentName(Name = "patch_embeddings")] private readonly VitPatches _patches;
    private readonly ImageSize _image;
    private readonly double _dropout;

    internal VitEmbeddings(VitConfig config) : base(nameof(VitEmbeddings))
    {
        (_image, _dropout) = (config.Image, config.HiddenDropout);
        _classToken = Weights.Allocate(1, 1, config.HiddenSize);
        _positions = Weights.Allocate(1, config.Image.Patches + 1, config.HiddenSize);
        _patches = new(config);
        RegisterComponents();
    }

    internal Tensor Embed(ImageBatch images)
    {
        using DisposeScope scope = NewDisposeScope();
        long hidden = _classToken.shape[2];
        Tensor patches = _patches.Projection.call(images.Patches(_image)).view(images.Rows, _image.Patches, hidden);
        Tensor rows = cat([_classToken.expand(images.Rows, 1, hidden), patches], 1) + _positions;
        return Kernels.Dropout(rows.view(-1, hidden), training ? _dropout : 0).MoveToOuterDisposeScope();
    }
}

/// <summary>The projection of patches under its name.</summary>
internal sealed class VitPatches : nn.Module
{
    [ComponentName(Name = "projection")] private readonly Projection _projection;

    internal VitPatches(VitConfig config) : base(nameof(VitPatches))
    {
        _projection = Projection.Patches(config.Image.Channels, config.Image.PatchHeight, config.Image.PatchWidth, config.HiddenSize, bias: true);
        RegisterComponents();
    }

    internal Projection Projection => _projection;
}

/// <summary>The blocks under their name.</summary>
internal sealed class VitLayers : nn.Module
{
    [ComponentName(Name = "layer")] private readonly ModuleList<VitBlock> _layers;

    internal VitLayers(VitConfig config) : base(nameof(VitLayers))
    {
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(layer => new VitBlock(config, layer))]);
        Blocks = [.. _layers];
        RegisterComponents();
    }

    internal IReadOnlyList<VitBlock> Blocks { get; }
}

/// <summary>One block: x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
internal sealed class VitBlock : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "attention")] private readonly VitAttention _attention;
    [ComponentName(Name = "layernorm_before")] private readonly LayerNorm _attentionNorm;
    [ComponentName(Name = "layernorm_after")] private readonly LayerNorm _feedForwardNorm;
    [ComponentName(Name = "intermediate")] private readonly DenseLayer _intermediate;
    [ComponentName(Name = "output")] private readonly DenseLayer _output;
    private readonly Activation _activation;
    private readonly double _dropout;

    internal VitBlock(VitConfig config, int layer) : base(nameof(VitBlock))
    {
        _attention = new(config, layer);
        _attentionNorm = new(config.HiddenSize, config.NormEpsilon);
        _feedForwardNorm = new(config.HiddenSize, config.NormEpsilon);
        _intermediate = new(config.HiddenSize, config.IntermediateSize);
        _output = new(config.IntermediateSize, config.HiddenSize);
        (_activation, _dropout) = (config.Activation, config.HiddenDropout);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor attended = input2.Keep(input1) + _attention.call(_attentionNorm.call(input1), input2);
        Tensor inner = _activation.Apply(_intermediate.Dense.call(_feedForwardNorm.call(attended)));
        return (attended + Kernels.Dropout(_output.Dense.call(inner), training ? _dropout : 0)).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention with its output matrix.</summary>
internal sealed class VitAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "attention")] private readonly VitSelfAttention _attention;
    [ComponentName(Name = "output")] private readonly DenseLayer _output;
    private readonly double _dropout;

    internal VitAttention(VitConfig config, int layer) : base(nameof(VitAttention))
    {
        _dropout = config.HiddenDropout;
        _attention = new(config, layer);
        _output = new(config.HiddenSize, config.HiddenSize);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        return Kernels.Dropout(_output.Dense.call(input2.Keep(_attention.call(input1, input2))), training ? _dropout : 0).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention without an output matrix.</summary>
internal sealed class VitSelfAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "query")] private readonly Projection _query;
    [ComponentName(Name = "key")] private readonly Projection _key;
    [ComponentName(Name = "value")] private readonly Projection _value;
    private readonly int _layer, _heads, _width;
    private readonly double _dropout;

    internal VitSelfAttention(VitConfig config, int layer) : base(nameof(VitSelfAttention))
    {
        (_layer, _heads, _width, _dropout) = (layer, config.Heads, config.HiddenSize / config.Heads, config.AttentionDropout);
        _query = new(config.HiddenSize, config.HiddenSize, config.QkvBias);
        _key = new(config.HiddenSize, config.HiddenSize, config.QkvBias);
        _value = new(config.HiddenSize, config.HiddenSize, config.QkvBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Heads(Projection projection) => projection.call(input1).view(-1, _heads, _width);
        return input2.Attend(_layer, Heads(_query), Heads(_key), Heads(_value), 1 / Math.Sqrt(_width), training ? _dropout : 0).MoveToOuterDisposeScope();
    }
}
