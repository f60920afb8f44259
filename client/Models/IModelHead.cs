using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Turns hidden states into logits.</summary>
public interface IModelHead
{
    /// <summary>The head's modules under their Hugging Face names, top level of the model; empty when it has no weights of its own.</summary>
    IReadOnlyList<(string Name, nn.Module Module)> Modules { get; }

    /// <summary>(positions, hidden) → logits in the caller's dispose scope; what a row of logits stands for is the head's business.</summary>
    Tensor Logits(Tensor hidden, SequenceBatch batch);
}
