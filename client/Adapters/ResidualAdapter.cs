using Federated.Client.Models;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>A LoRA or DoRA adapter that starts from a part of W and leaves the rest, W − s·B0·A0, in the layer while it sits there.</summary>
/// <remarks>
/// What the part is says <see cref="PrincipalFactors"/>. It depends on W and the settings alone, so that a stored adapter finds the same rest.
/// A copy of W is kept meanwhile, since adding the part again would not bring it back bit by bit.
/// </remarks>
internal sealed class ResidualAdapter : ILinearAdapter, IBaseEdit, IDisposable
{
    private readonly ILinearAdapter _inner;
    private readonly Parameter _a, _b;
    private readonly LoraSettings _settings;
    private Tensor? _original;

    /// <summary>Creates the adapter around the one that does the work.</summary>
    /// <param name="inner">The adapter.</param>
    /// <param name="a">Its A.</param>
    /// <param name="b">Its B.</param>
    /// <param name="settings">How it starts, and its scale.</param>
    internal ResidualAdapter(ILinearAdapter inner, Parameter a, Parameter b, LoraSettings settings) => (_inner, _a, _b, _settings) = (inner, a, b, settings);

    /// <summary>A0, in the shape of A.</summary>
    internal float[] StartA { get; private set; } = [];

    /// <summary>B0, in the shape of B.</summary>
    internal float[] StartB { get; private set; } = [];

    /// <inheritdoc/>
    public void Apply(Projection target)
    {
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = target.Matrix;
        (Tensor a, Tensor b) = PrincipalFactors.Of(weight, _settings);
        (StartA, StartB) = (a.contiguous().Floats().ToArray(), b.contiguous().Floats().ToArray());
        _original = weight.clone().DetachFromDisposeScope();
        weight.sub_(b.mm(a) * _settings.Scale);
    }

    /// <inheritdoc/>
    public void Revert(Projection target)
    {
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        target.Matrix.copy_(_original!);
    }

    /// <summary>Fills the factors with the part of W, and what else the adapter has by it.</summary>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        StartA.CopyTo(_a.Floats());
        StartB.CopyTo(_b.Floats());
        _inner.Initialise(weight, random);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target) => _inner.Forward(input, target);

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias) => _inner.Merge(weight, bias);

    /// <summary>Frees the copy of W.</summary>
    public void Dispose() => _original?.Dispose();
}
