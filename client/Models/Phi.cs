using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The Phi decoder: one norm a block, which attention and feed-forward layer both read, and rotary positions on a part of each head.</summary>
/// <remarks>
/// Sources: Gunasekar et al. 2023, arXiv:2306.11644, and Li et al. 2023, arXiv:2309.05463; parameter names and layouts as in Hugging Face
/// transformers' <c>PhiModel</c>. Works on flat positions, (n, hidden); only attention knows where rows begin.
/// </remarks>
public sealed class PhiBackbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    private const string BackboneName = "model";
    [ComponentName(Name = "embed_tokens")] private readonly TokenEmbedding _tokens;
    [ComponentName(Name = "layers")] private readonly ModuleList<PhiBlock> _layers;
    [ComponentName(Name = "final_layernorm")] private readonly LayerNorm _norm;
    private readonly PhiConfig _config;
    private readonly RotaryEmbedding _rotary;

    /// <summary>Creates the decoder with uninitialised weights.</summary>
    public PhiBackbone(PhiConfig config) : base(nameof(PhiBackbone))
    {
        (_config, _rotary) = (config, new(config.Rotary, config.HeadSize));
        _tokens = new(config.VocabularySize, config.HiddenSize, config.PadTokenId);
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(layer => new PhiBlock(config, layer))]);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    /// <summary>How to read and build it.</summary>
    internal static Architecture Architecture { get; } = Decoder.Architecture(
        PhiConfig.Name, BackboneName, ("PhiForCausalLM", "PhiForSequenceClassification", "PhiModel"), static (reader, task) => new PhiConfig(reader, task), Build,
        buffers: ".rotary_emb.inv_freq");

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
        AttentionLayout layout = new(batch, AttentionPattern.UpToSelf, options, _rotary);
        Tensor embedded = Kernels.Dropout(_tokens.call(batch.IdTensor(_config.VocabularySize)), training ? _config.EmbeddingDropout : 0);
        return Decoder.Run(embedded, _layers, _ => layout, _norm, options).MoveToOuterDisposeScope();
    }

    private static PretrainedModel Build(PhiConfig config)
    {
        PhiBackbone backbone = new(config);
        return Decoder.UnderHead(config, BackboneName, backbone, () => config.TieWordEmbeddings
            ? LanguageModelHead.Tied(backbone._tokens.Weight, bias: true)
            : LanguageModelHead.Separate(config.HiddenSize, config.VocabularySize, bias: true));
    }
}

/// <summary>One decoder block: x + attention(norm(x)) + feed-forward(norm(x)).</summary>
internal sealed class PhiBlock : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "input_layernorm")] private readonly LayerNorm _norm;
    [ComponentName(Name = "self_attn")] private readonly PhiAttention _attention;
    [ComponentName(Name = "mlp")] private readonly FeedForward _feedForward;
    private readonly double _dropout;

    internal PhiBlock(PhiConfig config, int layer) : base(nameof(PhiBlock))
    {
        _dropout = config.HiddenDropout;
        _norm = new(config.HiddenSize, config.NormEpsilon);
        _attention = new(config, layer);
        _feedForward = new(("fc1", new(config.HiddenSize, config.IntermediateSize, bias: true)), config.Activation, ("fc2", new(config.IntermediateSize, config.HiddenSize, bias: true)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        double dropout = training ? _dropout : 0;
        Tensor normed = _norm.call(input1);
        Tensor attended = input2.Keep(input1) + Kernels.Dropout(_attention.call(normed, input2), dropout);
        return (attended + Kernels.Dropout(_feedForward.call(input2.Keep(normed)), dropout)).MoveToOuterDisposeScope();
    }
}

/// <summary>Grouped-query self-attention with rotary positions on a part of each head.</summary>
internal sealed class PhiAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "q_proj")] private readonly Projection _query;
    [ComponentName(Name = "k_proj")] private readonly Projection _key;
    [ComponentName(Name = "v_proj")] private readonly Projection _value;
    [ComponentName(Name = "dense")] private readonly Projection _output;
    [ComponentName(Name = "q_layernorm")] private readonly LayerNorm? _queryNorm;
    [ComponentName(Name = "k_layernorm")] private readonly LayerNorm? _keyNorm;
    private readonly int _layer, _heads, _keyHeads, _width;
    private readonly double _dropout;

    internal PhiAttention(PhiConfig config, int layer) : base(nameof(PhiAttention))
    {
        (_layer, _heads, _keyHeads, _width, _dropout) = (layer, config.Heads, config.KeyValueHeads, config.HeadSize, config.AttentionDropout);
        _query = new(config.HiddenSize, _heads * _width, bias: true);
        _key = new(config.HiddenSize, _keyHeads * _width, bias: true);
        _value = new(config.HiddenSize, _keyHeads * _width, bias: true);
        _output = new(_heads * _width, config.HiddenSize, bias: true);
        if (config.NormsHeads)
            (_queryNorm, _keyNorm) = (new(_width, config.NormEpsilon), new(_width, config.NormEpsilon));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor query = _query.call(input1).view(-1, _heads, _width), key = _key.call(input1).view(-1, _keyHeads, _width);
        if (_queryNorm is not null && _keyNorm is not null)
            (query, key) = (_queryNorm.call(query), _keyNorm.call(key));
        Tensor value = _value.call(input1).view(-1, _keyHeads, _width);
        Tensor mixed = input2.Attend(_layer, input2.Rotate(query), input2.Rotate(key), value, 1 / Math.Sqrt(_width), training ? _dropout : 0);
        return _output.call(input2.Keep(mixed)).MoveToOuterDisposeScope();
    }
}
