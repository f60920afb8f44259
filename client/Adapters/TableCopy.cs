using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Randomness;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>A token table that trains whole beside an output head tied to the old one: as in Hugging Face PEFT the lookup reads a copy, and the head stays.</summary>
internal sealed class TableCopy(Parameter copy) : IEmbeddingAdapter
{
    internal static TensorSpec Tensor(TokenEmbedding table) => new("weight", table.Weight.shape, FederationClass.Exact);

    /// <inheritdoc/>
    public void Initialise(Tensor weight, SplitMix64 random) => copy.copy_(weight);

    /// <inheritdoc/>
    public Tensor Forward(Tensor ids, TokenEmbedding target) => Kernels.Embedding(copy, ids, target.PaddingId);

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias) => (copy.alias(), null);
}
