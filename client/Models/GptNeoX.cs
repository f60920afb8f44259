using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The GPT-NeoX decoder: rotary positions on a part of each head, and blocks whose two halves may work side by side.</summary>
/// <remarks>
/// Source: Black et al. 2022, arXiv:2204.06745; parameter names and layouts as in Hugging Face transformers' <c>GPTNeoXModel</c>. Works on flat
/// positions, (n, hidden); only attention knows where rows begin.
/// </remarks>
public sealed class GptNeoXBackbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    private const string BackboneName = "gpt_neox", HeadName = "embed_out";
    [ComponentName(Name = "embed_in")] private readonly TokenEmbedding _tokens;
    [ComponentName(Name = "layers")] private readonly ModuleList<GptNeoXBlock> _layers;
    [ComponentName(Name = "final_layer_norm")] private readonly LayerNorm _norm;
    private readonly GptNeoXConfig _config;
    private readonly RotaryEmbedding _rotary;

    /// <summary>Creates the decoder with uninitialised weights.</summary>
    public GptNeoXBackbone(GptNeoXConfig config) : base(nameof(GptNeoXBackbone))
    {
        (_config, _rotary) = (config, new(config.Rotary, config.HeadSize));
        // A padding token gets gradients like any other, as in transformers.
        _tokens = new(config.VocabularySize, config.HiddenSize, paddingId: null);
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(layer => new GptNeoXBlock(config, layer))]);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    /// <summary>How to read and build it; older checkpoints store the causal mask and the rotary frequencies.</summary>
    internal static Architecture Architecture { get; } = Decoder.Architecture(
        GptNeoXConfig.Name, BackboneName, ("GPTNeoXForCausalLM", "GPTNeoXForSequenceClassification", "GPTNeoXModel"), static (reader, task) => new GptNeoXConfig(reader, task), Build,
        HeadName, ".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq");

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
        Tensor embedded = Kernels.Dropout(_tokens.call(batch.IdTensor(_config.VocabularySize)), training ? _config.HiddenDropout : 0);
        return Decoder.Run(embedded, _layers, _ => layout, _norm, options).MoveToOuterDisposeScope();
    }

    private static PretrainedModel Build(GptNeoXConfig config)
    {
        GptNeoXBackbone backbone = new(config);
        return Decoder.UnderHead(config, BackboneName, backbone, () => config.TieWordEmbeddings
            ? LanguageModelHead.Tied(backbone._tokens.Weight)
            : LanguageModelHead.Separate(config.HiddenSize, config.VocabularySize, name: HeadName));
    }
}

/// <summary>One decoder block: x + attention(norm(x)) + feed-forward(norm'(x)), or the second half on the sum of the first.</summary>
internal sealed class GptNeoXBlock : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "input_layernorm")] private readonly LayerNorm _attentionNorm;
    [ComponentName(Name = "post_attention_layernorm")] private readonly LayerNorm _feedForwardNorm;
    [ComponentName(Name = "attention")] private readonly GptNeoXAttention _attention;
    [ComponentName(Name = "mlp")] private readonly FeedForward _feedForward;
    private readonly bool _parallel;
    private readonly double _dropout;

    internal GptNeoXBlock(GptNeoXConfig config, int layer) : base(nameof(GptNeoXBlock))
    {
        (_parallel, _dropout) = (config.ParallelResidual, config.HiddenDropout);
        _attentionNorm = new(config.HiddenSize, config.NormEpsilon);
        _feedForwardNorm = new(config.HiddenSize, config.NormEpsilon);
        _attention = new(config, layer);
        _feedForward = new(("dense_h_to_4h", new(config.HiddenSize, config.IntermediateSize, bias: true)), config.Activation, ("dense_4h_to_h", new(config.IntermediateSize, config.HiddenSize, bias: true)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        double dropout = training ? _dropout : 0;
        Tensor kept = input2.Keep(input1);
        Tensor attended = kept + Kernels.Dropout(_attention.call(_attentionNorm.call(input1), input2), dropout);
        Tensor fed = _feedForward.call(_feedForwardNorm.call(_parallel ? kept : attended));
        return (attended + Kernels.Dropout(fed, dropout)).MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention whose query, key and value come from one product, head by head.</summary>
internal sealed class GptNeoXAttention : nn.Module<Tensor, AttentionLayout, Tensor>
{
    [ComponentName(Name = "query_key_value")] private readonly Projection _queryKeyValue;
    [ComponentName(Name = "dense")] private readonly Projection _output;
    private readonly int _layer, _heads, _width;
    private readonly double _dropout;

    internal GptNeoXAttention(GptNeoXConfig config, int layer) : base(nameof(GptNeoXAttention))
    {
        (_layer, _heads, _width, _dropout) = (layer, config.Heads, config.HeadSize, config.AttentionDropout);
        _queryKeyValue = new(config.HiddenSize, 3L * config.HiddenSize, config.AttentionBias);
        _output = new(config.HiddenSize, config.HiddenSize, config.AttentionBias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, AttentionLayout input2)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] parts = _queryKeyValue.call(input1).view(-1, _heads, 3, _width).unbind(2);
        Tensor mixed = input2.Attend(_layer, input2.Rotate(parts[0]), input2.Rotate(parts[1]), parts[2], 1 / Math.Sqrt(_width), training ? _dropout : 0);
        return _output.call(input2.Keep(mixed)).MoveToOuterDisposeScope();
    }
}
