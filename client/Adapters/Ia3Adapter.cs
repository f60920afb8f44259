using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>(IA)³: one vector l scales a feed-forward layer's input, W' = W·diag(l), or any other layer's output, W' = diag(l)·W and b' = l ⊙ b.</summary>
/// <remarks>
/// Source: Liu et al. 2022, arXiv:2205.05638; names and shapes as in Hugging Face PEFT: (1, in) or (out, 1), of a convolution with two
/// more sizes of 1, where an input's scale is that of its channel. W' is linear in l, so the mean of tensors is the mean of weights.
/// </remarks>
public sealed class Ia3Adapter : ILinearAdapter
{
    private readonly Parameter _scale;
    private readonly bool _feedforward, _fromOne;

    /// <summary>Creates the adapter over its vector.</summary>
    /// <param name="scale">l.</param>
    /// <param name="feedforward">Whether it scales the input.</param>
    /// <param name="fromOne">Whether a new adapter starts at one; otherwise normal.</param>
    public Ia3Adapter(Parameter scale, bool feedforward, bool fromOne) => (_scale, _feedforward, _fromOne) = (scale, feedforward, fromOne);

    internal static AdapterParts Parts(PretrainedModel model, Ia3Config config) => new()
    {
        Layers =
        [
            .. AdapterTargets.Linear(model, config).Select(target =>
            {
                bool feedforward = config.IsFeedforward(target.Name);
                return new AdapterLayer(target.Name, [Tensor(target.Layer, feedforward)], own => new Ia3Adapter(own[0], feedforward, config.InitWeights));
            }),
        ],
    };

    /// <inheritdoc/>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        if (_fromOne)
            _scale.Floats().Fill(1);
        else
            Weights.FillNormal(_scale.Floats(), 1, random);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor output = _feedforward
            ? Kernels.Linear(input * Inputs(target.Inputs), target.Matrix, target.Bias)
            : Kernels.Linear(input, target.Matrix, target.Bias) * _scale.view(-1);
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor merged = weight * (_feedforward ? Inputs(weight.shape[1]) : _scale.view(-1, 1));
        Tensor? offset = _feedforward ? bias?.alias() : bias is null ? null : bias * _scale.view(-1);
        return (merged.MoveToOuterDisposeScope(), offset?.MoveToOuterDisposeScope());
    }

    private static TensorSpec Tensor(Projection layer, bool feedforward)
    {
        long channels = layer.Layout == WeightLayout.Patches ? layer.Weight.shape[1] : layer.Inputs;
        long[] shape = feedforward ? [1, channels] : layer.Layout == WeightLayout.Patches ? [1, layer.Outputs] : [layer.Outputs, 1];
        return new("ia3_l", layer.Layout == WeightLayout.Patches ? [.. shape, 1, 1] : shape, FederationClass.Exact);
    }

    // (in): a channel's scale for each of its places in a patch.
    private Tensor Inputs(long count) => _scale.view(-1, 1).expand(-1, count / _scale.numel()).reshape(count);
}
