using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Low-rank adaptation of an embedding table T, (count, width): T + s·(B·A)ᵀ with A (r, count) and B (width, r).</summary>
/// <remarks>
/// As in Hugging Face PEFT: the factors have names of their own, A starts at zero and B normal, and dropout does not act. With DoRA each
/// column of the changed table is scaled to a trained magnitude, (width), by its norm over all rows, which is a constant in the backward pass.
/// </remarks>
public sealed class LoraEmbedding : IEmbeddingAdapter
{
    private readonly Parameter _a, _b;
    private readonly Parameter? _magnitude;
    private readonly LoraSettings _settings;

    /// <summary>Creates the adapter over A, B and, for DoRA, the magnitudes.</summary>
    public LoraEmbedding(Parameter a, Parameter b, Parameter? magnitude, LoraSettings settings) => (_a, _b, _magnitude, _settings) = (a, b, magnitude, settings);

    /// <summary>The tensors that a table needs.</summary>
    internal static TensorSpec[] Tensors(TokenEmbedding table, long rank, bool magnitudes)
    {
        (long count, long width) = (table.Weight.shape[0], table.Weight.shape[1]);
        FederationClass federation = magnitudes ? FederationClass.NonLinear : FederationClass.Bilinear;
        TensorSpec[] factors = [new("lora_embedding_A", [rank, count], federation), new("lora_embedding_B", [width, rank], federation)];
        return magnitudes ? [.. factors, new("lora_magnitude_vector", [width], federation)] : factors;
    }

    /// <inheritdoc/>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        _a.Floats().Clear();
        if (_settings.Start == LoraConfig.RandomInit)
            Weights.FillNormal(_a.Floats(), 1, random);
        Weights.FillNormal(_b.Floats(), 1, random);
        using DisposeScope scope = NewDisposeScope();
        _magnitude?.copy_(Norms(weight));
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor ids, TokenEmbedding target)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor low = Kernels.Embedding(_a.t(), ids, target.PaddingId).mm(_b.t()) * _settings.Scale;
        Tensor rows = Kernels.Embedding(target.Weight, ids, target.PaddingId) + low;
        return (_magnitude is null ? rows : rows * Scale(target.Weight)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor changed = Changed(weight);
        return ((_magnitude is null ? changed : changed * Scale(weight)).MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    private Tensor Scale(Tensor weight)
    {
        Tensor norms;
        using (no_grad())
            norms = Norms(weight);
        return _magnitude! / norms;
    }

    private Tensor Norms(Tensor weight) => Changed(weight).norm(dim: 0);

    private Tensor Changed(Tensor weight) => weight + (_b.mm(_a).t() * _settings.Scale);
}
