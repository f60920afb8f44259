using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Turns hidden states into logits.</summary>
public interface IModelHead
{
    /// <summary>The head's modules under their Hugging Face names, top level of the model; empty when it has no weights of its own.</summary>
    IReadOnlyList<(string Name, nn.Module Module)> Modules { get; }

    /// <summary>The flat positions of an input whose hidden states the head reads; null for all.</summary>
    long[]? Positions(ModelInput input);

    /// <summary>Hidden states of those positions, (n, hidden) → (n, outputs) in the caller's dispose scope.</summary>
    Tensor Logits(Tensor hidden);
}
