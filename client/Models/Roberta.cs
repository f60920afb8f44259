using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>RoBERTa: BERT's encoder with positions that begin after the padding id, and heads of its own.</summary>
/// <remarks>Source: Liu et al. 2019, arXiv:1907.11692; parameter names as in Hugging Face transformers' <c>RobertaModel</c>.</remarks>
internal static class Roberta
{
    /// <summary>The name in <c>model_type</c>.</summary>
    internal const string Name = "roberta";

    /// <summary>The model under the head that <paramref name="config"/> names, with uninitialised weights.</summary>
    internal static PretrainedModel Build(BertConfig config)
    {
        BertBackbone backbone = new(config);
        if (config.Task == ModelTask.MaskedLanguageModel)
        {
            RobertaPredictions predictions = new(config);
            return new(config, Name, backbone, predictions.Head(backbone.Words));
        }

        RobertaClassifier classifier = new(config);
        return new(config, Name, backbone, classifier.Head(config.ClassifierDropout));
    }

    /// <summary>padding id + the number of real tokens up to each token, itself included; the padding id for padding.</summary>
    internal static long[] Positions(SequenceBatch batch, int paddingId)
    {
        long[] positions = new long[batch.Count];
        ReadOnlySpan<long> ids = batch.Ids.Span;
        ReadOnlySpan<int> offsets = batch.Offsets.Span;
        for (int row = 0; row + 1 < offsets.Length; row++)
        {
            long next = paddingId;
            for (int i = offsets[row]; i < offsets[row + 1]; i++)
                positions[i] = ids[i] == paddingId ? paddingId : ++next;
        }

        return positions;
    }

    /// <summary><c>classifier.dense</c>, tanh, <c>classifier.out_proj</c>.</summary>
    private sealed class RobertaClassifier : nn.Module
    {
        [ComponentName(Name = "dense")] private readonly Projection _dense;
        [ComponentName(Name = "out_proj")] private readonly Projection _output;

        internal RobertaClassifier(BertConfig config) : base(nameof(RobertaClassifier))
        {
            _dense = new(config.HiddenSize, config.HiddenSize, bias: true);
            _output = new(config.HiddenSize, config.Labels.Count, bias: true);
            RegisterComponents();
        }

        internal FirstTokenHead Head(double dropout) => new([("classifier", this)], _dense, Activation.Of("tanh"), _output) { Dropout = dropout, DropsTwice = true };
    }

    /// <summary><c>lm_head.dense</c>, <c>lm_head.layer_norm</c>, <c>lm_head.bias</c>.</summary>
    private sealed class RobertaPredictions : nn.Module
    {
        [ComponentName(Name = "bias")] private readonly Parameter _bias;
        [ComponentName(Name = "dense")] private readonly Projection _dense;
        [ComponentName(Name = "layer_norm")] private readonly LayerNorm _norm;

        internal RobertaPredictions(BertConfig config) : base(nameof(RobertaPredictions))
        {
            _bias = Weights.Allocate(config.VocabularySize);
            _dense = new(config.HiddenSize, config.HiddenSize, bias: true);
            _norm = new(config.HiddenSize, config.NormEpsilon);
            RegisterComponents();
        }

        // Not the configuration's activation: transformers has GELU here whatever that says.
        internal MaskedLanguageModelHead Head(TokenEmbedding table) => new([("lm_head", this)], _dense, Activation.Of("gelu"), _norm, table, _bias);
    }
}
