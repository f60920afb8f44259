using Federated.Client.Models;
using Federated.Shared.Randomness;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Changes what one layer computes, by a few tensors that <see cref="AdaptedModel"/> keeps for it. Stateless otherwise; one that holds native memory of its own is disposable.</summary>
public interface IAdapter
{
    /// <summary>Fills the tensors with what a new adapter starts from.</summary>
    /// <param name="weight">The layer's W, see <see cref="Merge"/>.</param>
    /// <param name="random">Where random values come from.</param>
    void Initialise(Tensor weight, SplitMix64 random);

    /// <summary>The weights of a plain layer that computes the same in evaluation; a function of (W, b), since not every adapter adds.</summary>
    /// <param name="weight">W, (out, in) however the layer stores it; of an embedding the table, (count, width).</param>
    /// <param name="bias">b, (out), or null.</param>
    /// <returns>New tensors in the caller's dispose scope, differentiable by the adapter's own; the bias is null when there is none.</returns>
    (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias);
}

/// <summary>An adapter of a linear layer.</summary>
public interface ILinearAdapter : IAdapter
{
    /// <summary>The layer's output with the adapter: (n, in) → (n, out), in the caller's dispose scope.</summary>
    /// <param name="input">The layer's input.</param>
    /// <param name="target">The layer: its weights, and whether it is training.</param>
    Tensor Forward(Tensor input, Projection target);
}

/// <summary>An adapter of an embedding table.</summary>
public interface IEmbeddingAdapter : IAdapter
{
    /// <summary>The rows with the adapter: (n) ids → (n, width), in the caller's dispose scope.</summary>
    /// <param name="ids">Which rows.</param>
    /// <param name="target">The table.</param>
    Tensor Forward(Tensor ids, TokenEmbedding target);
}

/// <summary>An adapter that changes the layer's own weight for as long as it sits on it, such as one that starts from a part of W and leaves the rest there.</summary>
public interface IBaseEdit
{
    /// <summary>Changes the weight; called once, before the adapter's tensors are filled.</summary>
    void Apply(Projection target);

    /// <summary>Brings the weight back bit by bit.</summary>
    void Revert(Projection target);
}
