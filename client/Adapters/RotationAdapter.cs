using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Adapters that turn a layer's input: y = (x·R)·Wᵀ + b, merged W·Rᵀ.</summary>
/// <remarks>The input is turned, not the weight: its gradient costs no product as large as the layer's own.</remarks>
public abstract class RotationAdapter : ILinearAdapter
{
    /// <inheritdoc/>
    public abstract void Initialise(Tensor weight, SplitMix64 random);

    /// <inheritdoc/>
    public virtual Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        return Kernels.Linear(Rotate(input, target.training), target.Matrix, target.Bias).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public virtual (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias) => (RotateBack(weight), bias?.alias());

    /// <summary>x·R of rows x, (n, in); may leave intermediate tensors to the caller's scope.</summary>
    protected abstract Tensor Rotate(Tensor rows, bool training);

    /// <summary>x·Rᵀ of rows x, (n, in): one new tensor in the caller's scope.</summary>
    protected abstract Tensor RotateBack(Tensor rows);
}
