using Federated.Client.Models.Operators;
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
    [ComponentName(Name = "embed_tokens")] private readonly TokenEmbedding _embedTokens;
    [ComponentName(Name = "layers")] private readonly ModuleList<LlamaBlock> _layers;
    [ComponentName(Name = "norm")] private readonly RmsNorm _norm;
    private readonly RotaryEmbedding _rotary;
    private readonly int _vocabularySize;

    /// <summary>Creates the decoder with uninitialised weights.</summary>
    public LlamaBackbone(LlamaConfig config) : base(nameof(LlamaBackbone))
    {
        _vocabularySize = config.VocabularySize;
        _rotary = new(config.HeadSize, config.RopeTheta, config.RopeFactor);
        _embedTokens = new(config.VocabularySize, config.HiddenSize, config.PadTokenId);
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(layer => new LlamaBlock(config, layer))]);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <inheritdoc/>
    public Parameter? TokenTable => _embedTokens.Weight;

    /// <summary>The model under the head that <paramref name="config"/> names, with uninitialised weights.</summary>
    internal static PretrainedModel Build(LlamaConfig config)
    {
        LlamaBackbone backbone = new(config);
        IModelHead head = config.Task switch
        {
            ModelTask.SequenceClassification => SequenceClassificationHead.Create(config.HiddenSize, config.Labels.Count, config.PadTokenId),
            _ when config.TieWordEmbeddings => LanguageModelHead.Tied(backbone._embedTokens.Weight),
            _ => LanguageModelHead.Separate(config.HiddenSize, config.VocabularySize),
        };
        return new(config, "model", backbone, head);
    }

    /// <inheritdoc/>
    public override Tensor forward(ModelInput input) => Encode(input, ForwardOptions.None);

    /// <inheritdoc/>
    public Tensor Encode(ModelInput input, ForwardOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        SequenceBatch batch = SequenceBatch.Of(input);
        ForwardTrace? trace = options.Trace;
        Tensor? wanted = options.Positions is { } positions ? tensor(positions, [positions.Length]) : null;
        AttentionLayout layout = new(batch, AttentionPattern.UpToSelf, options, _rotary);
        // A position of the last block feeds no other; those nobody asked for end at its attention. A trace shows them all.
        AttentionLayout last = wanted is null || trace is not null ? layout : layout.Keeping(wanted);
        Tensor hidden = _embedTokens.call(batch.IdTensor(_vocabularySize));
        for (int i = 0; i < _layers.Count; i++)
        {
            trace?.AddHidden(hidden);
            Tensor next = _layers[i].call(hidden, i == _layers.Count - 1 ? last : layout);
            hidden.Dispose();
            hidden = next;
        }

        Tensor normed = _norm.call(hidden);
        trace?.AddHidden(normed);
        return (wanted is not null && trace is not null ? normed.index_select(0, wanted) : normed).MoveToOuterDisposeScope();
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

    internal LlamaAttention(LlamaConfig config, int layer) : base(nameof(LlamaAttention))
    {
        (_layer, _heads, _keyHeads, _width) = (layer, config.Heads, config.KeyValueHeads, config.HeadSize);
        _query = new(config.HiddenSize, _heads * _width, config.AttentionBias);
        _key = new(config.HiddenSize, _keyHeads * _width, config.AttentionBias);
        _value = new(config.HiddenSize, _keyHeads * _width, config.AttentionBias);
        _output = new(_heads * _width, config.HiddenSize, config.AttentionBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor query = input2.Rotate(_query.call(input1).view(-1, _heads, _width));
        Tensor key = input2.Rotate(_key.call(input1).view(-1, _keyHeads, _width));
        Tensor value = _value.call(input1).view(-1, _keyHeads, _width);
        Tensor mixed = input2.Attend(_layer, query, key, value, 1 / Math.Sqrt(_width));
        return _output.call(input2.Keep(mixed)).MoveToOuterDisposeScope();
    }
}

/// <summary>down(silu(gate(x)) · up(x)).</summary>
internal sealed class LlamaFeedForward : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate_proj")] private readonly Projection _gate;
    [ComponentName(Name = "up_proj")] private readonly Projection _up;
    [ComponentName(Name = "down_proj")] private readonly Projection _down;

    internal LlamaFeedForward(LlamaConfig config) : base(nameof(LlamaFeedForward))
    {
        _gate = new(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        _up = new(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        _down = new(config.IntermediateSize, config.HiddenSize, config.FeedForwardBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        return _down.call(Kernels.SwiGlu(_gate.call(input), _up.call(input))).MoveToOuterDisposeScope();
    }
}
