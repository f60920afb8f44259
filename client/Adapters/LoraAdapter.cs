using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Low-rank adaptation: y = x·Wᵀ + b + s·(dropout(x)·Aᵀ)·Bᵀ with A (r, in) and B (out, r).</summary>
/// <remarks>
/// Sources: Hu et al. 2021, arXiv:2106.09685, s = alpha / r; Kalajdzievski 2023, arXiv:2312.03732 (rsLoRA), s = alpha / sqrt(r).
/// Names, shapes and initial values as in Hugging Face PEFT: A uniform on ±1/sqrt(in) (Kaiming, a = sqrt(5)), B zero, so that the first
/// forward pass equals the base model's. Both factors are bilinear: their separate means are a biased mean of the products.
/// Of a convolution over patches A is stored as (r, channels, height, width) and B as (out, r, 1, 1).
/// </remarks>
public sealed class LoraAdapter : ILinearAdapter
{
    private const string Gaussian = "gaussian";
    private readonly Parameter _a, _b;
    private readonly LoraSettings _settings;

    /// <summary>Creates the adapter over A and B.</summary>
    public LoraAdapter(Parameter a, Parameter b, LoraSettings settings)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(settings.Dropout);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(settings.Dropout, 1);
        (_a, _b, _settings) = (a, b, settings);
    }

    /// <summary>The factors that a layer needs: A and B.</summary>
    internal static TensorSpec[] Tensors(Projection layer, long rank) =>
    [
        new("lora_A.weight", layer.Layout == WeightLayout.Patches ? [rank, .. layer.Weight.shape[1..]] : [rank, layer.Inputs], FederationClass.Bilinear),
        new("lora_B.weight", layer.Layout == WeightLayout.Patches ? [layer.Outputs, rank, 1, 1] : [layer.Outputs, rank], FederationClass.Bilinear),
    ];

    /// <summary>Fills the factors as PEFT does: B stays zero unless both are to be random; gaussian draws A with deviation 1/r.</summary>
    /// <remarks>Factors that start from a part of the weight are there already, see <see cref="ResidualAdapter"/>.</remarks>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        if (PrincipalFactors.Take(_settings.Start))
            return;

        if (_settings.Start == Gaussian)
            Weights.FillNormal(_a.Floats(), 1.0 / _a.shape[0], random);
        else
            Weights.FillUniform(_a.Floats(), 1 / Math.Sqrt(weight.shape[1]), random);
        _b.Floats().Clear();
        if (_settings.Start == LoraConfig.RandomInit)
            Weights.FillUniform(_b.Floats(), 1 / Math.Sqrt(_b.shape[1]), random);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target)
    {
        double dropout = target.training ? _settings.Dropout : 0;
        if (target.Layout != WeightLayout.Patches)
            return Kernels.LoraLinear(input, target.Matrix, target.Bias, _a, _b, _settings.Scale, dropout);
        using DisposeScope scope = NewDisposeScope();
        return Kernels.LoraLinear(input, target.Matrix, target.Bias, _a.flatten(1), _b.flatten(1), _settings.Scale, dropout).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor merged = weight + (_b.flatten(1).mm(_a.flatten(1)) * _settings.Scale);
        return (merged.MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }
}
