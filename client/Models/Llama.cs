using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The Llama decoder: pre-norm blocks of grouped-query attention with rotary positions and a gated feed-forward layer.</summary>
/// <remarks>
/// Sources: Touvron et al. 2023, arXiv:2302.13971 and arXiv:2307.09288; parameter names and layouts as in Hugging Face transformers'
/// <c>LlamaModel</c>. Works on flat positions, (n, hidden); only attention knows where rows begin.
/// </remarks>
public sealed class LlamaBackbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    private const string BackboneName = "model";
    [ComponentName(Name = "embed_tokens")] private readonly TokenEmbedding _embedTokens;
    [ComponentName(Name = "layers")] private readonly ModuleList<LlamaBlock> _layers;
    [ComponentName(Name = "norm")] private readonly RmsNorm _norm;
    private readonly RotaryEmbedding _rotary;
    private readonly LlamaConfig _config;

    /// <summary>Creates the decoder with uninitialised weights.</summary>
    public LlamaBackbone(LlamaConfig config) : base(nameof(LlamaBackbone))
    {
        _config = config;
        _rotary = new(config.Rotary, config.HeadSize);
        _embedTokens = new(config.VocabularySize, config.HiddenSize, config.PadTokenId);
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(layer => new LlamaBlock(config, layer))]);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    /// <summary>How to read and build it.</summary>
    internal static Architecture Architecture { get; } = Family(LlamaConfig.Name, "Llama", LlamaConfig.Read);

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <inheritdoc/>
    public Parameter? TokenTable => _embedTokens.Weight;

    /// <summary>A family of models with these blocks.</summary>
    /// <param name="name">Hugging Face's <c>model_type</c>.</param>
    /// <param name="prefix">What its class names start with.</param>
    /// <param name="read">Reads its configuration.</param>
    internal static Architecture Family(string name, string prefix, Func<ConfigReader, ModelTask, LlamaConfig> read) => Decoder.Architecture(
        name, BackboneName, ($"{prefix}ForCausalLM", $"{prefix}ForSequenceClassification", $"{prefix}Model"), read, Build, buffers: ".rotary_emb.inv_freq");

    /// <inheritdoc/>
    public override Tensor forward(ModelInput input) => Encode(input, ForwardOptions.None);

    /// <inheritdoc/>
    public Tensor Encode(ModelInput input, ForwardOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        SequenceBatch batch = SequenceBatch.Of(input);
        AttentionLayout full = new(batch, AttentionPattern.UpToSelf, options, _rotary);
        int? window = Enumerable.Range(0, _config.Layers).Select(_config.Window).FirstOrDefault(window => window is not null);
        AttentionLayout windowed = window is null ? full : full.Under(new(Causal: true, window), batch);
        Tensor embedded = _embedTokens.call(batch.IdTensor(_config.VocabularySize));
        return Decoder.Run(embedded, _layers, layer => _config.Window(layer) is null ? full : windowed, _norm, options).MoveToOuterDisposeScope();
    }

    private static PretrainedModel Build(LlamaConfig config)
    {
        LlamaBackbone backbone = new(config);
        return Decoder.UnderHead(config, BackboneName, backbone, () => config.TieWordEmbeddings
            ? LanguageModelHead.Tied(backbone._embedTokens.Weight)
            : LanguageModelHead.Separate(config.HiddenSize, config.VocabularySize));
    }
}

/// <summary>One decoder block: x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
internal sealed class LlamaBlock : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "self_attn")] private readonly LlamaAttention _attention;
    [ComponentName(Name = "mlp")] private readonly LlamaFeedForward _feedForward;
    [ComponentName(Name = "input_layernorm")] private readonly RmsNorm _inputNorm;
    [ComponentName(Name = "post_attention_layernorm")] private readonly RmsNorm _feedForwardNorm;

    internal LlamaBlock(LlamaConfig config, int layer) : base(nameof(LlamaBlock))
    {
        _attention = new(config, layer);
        _feedForward = new(config);
        _inputNorm = new(config.HiddenSize, config.NormEpsilon);
        _feedForwardNorm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor attended = input2.Keep(input1) + _attention.call(_inputNorm.call(input1), input2);
        return (attended + _feedForward.call(_feedForwardNorm.call(attended))).MoveToOuterDisposeScope();
    }
}

/// <summary>Grouped-query self-attention with rotary positions.</summary>
internal sealed class LlamaAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "q_proj")] private readonly Projection _query;
    [ComponentName(Name = "k_proj")] private readonly Projection _key;
    [ComponentName(Name = "v_proj")] private readonly Projection _value;
    [ComponentName(Name = "o_proj")] private readonly Projection _output;
    private readonly int _layer, _heads, _keyHeads, _width;
    private readonly double _dropout;

    internal LlamaAttention(LlamaConfig config, int layer) : base(nameof(LlamaAttention))
    {
        (_layer, _heads, _keyHeads, _width) = (layer, config.Heads, config.KeyValueHeads, config.HeadSize);
        _dropout = config.AttentionDropout;
        _query = new(config.HiddenSize, _heads * _width, config.AttentionBias);
        _key = new(config.HiddenSize, _keyHeads * _width, config.AttentionBias);
        _value = new(config.HiddenSize, _keyHeads * _width, config.AttentionBias);
        _output = new(_heads * _width, config.HiddenSize, config.AttentionOutputBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor query = input2.Rotate(_query.call(input1).view(-1, _heads, _width));
        Tensor key = input2.Rotate(_key.call(input1).view(-1, _keyHeads, _width));
        Tensor value = _value.call(input1).view(-1, _keyHeads, _width);
        Tensor mixed = input2.Attend(_layer, query, key, value, 1 / Math.Sqrt(_width), training ? _dropout : 0);
        return _output.call(input2.Keep(mixed)).MoveToOuterDisposeScope();
    }
}

/// <summary>down(f(gate(x)) · up(x)), f usually SiLU.</summary>
internal sealed class LlamaFeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate_proj")] private readonly Projection _gate;
    [ComponentName(Name = "up_proj")] private readonly Projection _up;
    [ComponentName(Name = "down_proj")] private readonly Projection _down;
    private readonly Activation _activation;

    internal LlamaFeedForward(LlamaConfig config) : base(nameof(LlamaFeedForward))
    {
        _activation = config.Activation;
        _gate = new(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        _up = new(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        _down = new(config.IntermediateSize, config.HiddenSize, config.FeedForwardBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        return _down.call(_activation.Gate(_gate.call(input), _up.call(input))).MoveToOuterDisposeScope();
    }
}
