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
/// Names and initial values as in Hugging Face PEFT: A uniform on ±1/sqrt(in) (Kaiming, a = sqrt(5)), B zero, so that the first
/// forward pass equals the base model's. Both factors are bilinear: their separate means are a biased mean of the products.
/// </remarks>
public sealed class LoraAdapter : IAdapter
{
    private const string Gaussian = "gaussian";
    private readonly Parameter _a, _b;
    private readonly double _scale, _dropout;

    /// <summary>Creates the adapter with A and B zero.</summary>
    /// <param name="inputs">Width of the layer's input.</param>
    /// <param name="outputs">Width of the layer's output.</param>
    /// <param name="rank">r, at least 1.</param>
    /// <param name="scale">s.</param>
    /// <param name="dropout">Share of the input dropped in training, in [0, 1).</param>
    public LoraAdapter(long inputs, long outputs, int rank, double scale, double dropout)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(dropout);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dropout, 1);
        (_scale, _dropout) = (scale, dropout);
        (_a, _b) = (Weights.Allocate(rank, inputs), Weights.Allocate(outputs, rank));
        _a.Floats().Clear();
        _b.Floats().Clear();
        Tensors = [new("lora_A.weight", _a, FederationClass.Bilinear), new("lora_B.weight", _b, FederationClass.Bilinear)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<AdapterTensor> Tensors { get; }

    /// <summary>The ways to start that leave the base weights alone, as <c>init_lora_weights</c> names them.</summary>
    internal static IReadOnlyList<string> Initialisers { get; } = [LoraConfig.DefaultInit, LoraConfig.RandomInit, Gaussian];

    /// <summary>Fills the factors as PEFT does: B stays zero unless both are to be random; gaussian draws A with deviation 1/r.</summary>
    internal void Initialise(string way, SplitMix64 random)
    {
        if (way == Gaussian)
            Weights.FillNormal(_a.Floats(), 1.0 / _a.shape[0], random);
        else
            Weights.FillUniform(_a.Floats(), 1 / Math.Sqrt(_a.shape[1]), random);
        if (way == LoraConfig.RandomInit)
            Weights.FillUniform(_b.Floats(), 1 / Math.Sqrt(_b.shape[1]), random);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target) =>
        Kernels.LoraLinear(input, target.Matrix, target.Bias, _a, _b, _scale, target.training ? _dropout : 0);

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor merged = weight + (_b.mm(_a) * _scale);
        return (merged.MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }
}
