using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Weight-decomposed low-rank adaptation: W' = q ⊙ V row by row, with V = W + s·B·A and q = m / |V|, the norms of V's rows.</summary>
/// <remarks>
/// Source: Liu et al. 2024, arXiv:2402.09353. As there (section 4.3) and in Hugging Face PEFT the norm counts as a constant in the
/// backward pass. Forward never forms W': y = q ⊙ (x·Wᵀ + s·(x·Aᵀ)·Bᵀ) + b. With dropout, PEFT drops what the change sees, W included:
/// y = x·Wᵀ + b + q ⊙ (d·Wᵀ + s·(d·Aᵀ)·Bᵀ) − d·Wᵀ with d = dropout(x). Starts with m = |V|, where it equals LoRA. The magnitudes divide by
/// a norm of the trained factors, so that no mean of the tensors is exact.
/// </remarks>
public sealed class DoraAdapter : ILinearAdapter
{
    private readonly LoraAdapter _factors;
    private readonly Parameter _a, _b, _magnitude;
    private readonly LoraSettings _settings;

    /// <summary>Creates the adapter over A, B and the magnitudes.</summary>
    public DoraAdapter(Parameter a, Parameter b, Parameter magnitude, LoraSettings settings)
    {
        (_a, _b, _magnitude, _settings) = (a, b, magnitude, settings);
        _factors = new(a, b, settings);
    }

    /// <summary>The tensors that a layer needs: A, B and the magnitudes, (out), of a convolution (1, out, 1, 1).</summary>
    internal static TensorSpec[] Tensors(Projection layer, long rank) =>
    [
        .. LoraAdapter.Tensors(layer, rank).Select(factor => factor with { Federation = FederationClass.NonLinear }),
        new("lora_magnitude_vector", layer.Layout == WeightLayout.Patches ? [1, layer.Outputs, 1, 1] : [layer.Outputs], FederationClass.NonLinear),
    ];

    /// <inheritdoc/>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        _factors.Initialise(weight, random);
        using DisposeScope scope = NewDisposeScope();
        _magnitude.copy_(Norms(weight).view(_magnitude.shape));
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = target.Matrix, scale = Scale(weight);
        bool drops = target.training && _settings.Dropout > 0;
        Tensor dropped = drops ? nn.functional.dropout(input, _settings.Dropout, training: true) : input;
        Tensor changed = Kernels.LoraLinear(dropped, weight, null, _a.flatten(1), _b.flatten(1), _settings.Scale, 0) * scale;
        if (drops)
            changed = changed + Kernels.Linear(input, weight, target.Bias) - Kernels.Linear(dropped, weight, null);
        else if (target.Bias is { } bias)
            changed = changed + bias;
        return changed.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor changed, Tensor? same) = _factors.Merge(weight, bias);
        return ((changed * Scale(weight).unsqueeze(1)).MoveToOuterDisposeScope(), same?.MoveToOuterDisposeScope());
    }

    // q, (out).
    private Tensor Scale(Tensor weight)
    {
        Tensor norms;
        using (no_grad())
            norms = Norms(weight);
        return _magnitude.view(-1) / norms;
    }

    private Tensor Norms(Tensor weight) => _factors.Merge(weight, null).Weight.norm(dim: 1);
}
