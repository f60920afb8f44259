using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Several adapters on one layer, each changing the weight that those before it left: low-rank changes add up, scalings multiply.</summary>
/// <remarks>Works by the merged weight, so that dropout inside an adapter does not act; PEFT's DoRA instead takes the norm of each change with the bare weight.</remarks>
internal sealed class AdapterStack(IReadOnlyList<IAdapter> adapters) : WeightAdapter, IEmbeddingAdapter
{
    /// <inheritdoc/>
    public override void Initialise(Tensor weight, SplitMix64 random) => throw new NotSupportedException("Adapters that share a layer start one by one.");

    /// <inheritdoc/>
    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (IAdapter adapter in adapters)
            (weight, bias) = adapter.Merge(weight, bias);
        return (weight.MoveToOuterDisposeScope(), bias?.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor ids, TokenEmbedding target)
    {
        using DisposeScope scope = NewDisposeScope();
        return Kernels.Embedding(Merge(target.Weight, null).Weight, ids, target.PaddingId).MoveToOuterDisposeScope();
    }

    /// <summary>What sits on a layer once another adapter joins.</summary>
    internal static IAdapter With(IAdapter? there, IAdapter joining) => there switch
    {
        null => joining,
        AdapterStack stack => new AdapterStack([.. stack.Adapters, joining]),
        _ => new AdapterStack([there, joining]),
    };

    /// <summary>What is left on a layer once an adapter leaves.</summary>
    internal static IAdapter? Without(IAdapter? there, IAdapter leaving)
    {
        if (there is not AdapterStack stack)
            return ReferenceEquals(there, leaving) ? null : there;
        IAdapter[] left = [.. stack.Adapters.Where(adapter => !ReferenceEquals(adapter, leaving))];
        return left.Length == 1 ? left[0] : new AdapterStack(left);
    }

    private IReadOnlyList<IAdapter> Adapters => adapters;
}
