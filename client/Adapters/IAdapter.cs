using Federated.Client.Models;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Changes what one linear layer computes, by a few trained tensors of its own.</summary>
public interface IAdapter : IDisposable
{
    /// <summary>The trained tensors under their names within the layer, in the order of their export.</summary>
    IReadOnlyList<AdapterTensor> Tensors { get; }

    /// <summary>The layer's output with the adapter: (n, in) → (n, out), in the caller's dispose scope.</summary>
    /// <param name="input">The layer's input.</param>
    /// <param name="target">The layer: its weights, and whether it is training.</param>
    Tensor Forward(Tensor input, Projection target);

    /// <summary>The weights of a plain layer that computes the same in evaluation; a function of (W, b), since not every adapter adds.</summary>
    /// <returns>New tensors in the caller's dispose scope; the bias is null when there is none.</returns>
    (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias);
}
