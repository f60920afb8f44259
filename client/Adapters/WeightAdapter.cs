using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>An adapter that is a function of the weight and nothing else: y = x·W'ᵀ + b' with (W', b') from <see cref="Merge"/>.</summary>
public abstract class WeightAdapter : ILinearAdapter
{
    /// <inheritdoc/>
    public abstract void Initialise(Tensor weight, SplitMix64 random);

    /// <inheritdoc/>
    public abstract (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias);

    /// <inheritdoc/>
    public virtual Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor weight, Tensor? bias) = Merge(target.Matrix, target.Bias);
        return Kernels.Linear(input, weight, bias).MoveToOuterDisposeScope();
    }
}
