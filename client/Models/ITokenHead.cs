using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>A head that gives every position one logit a token of the vocabulary.</summary>
public interface ITokenHead : IModelHead
{
    /// <summary>Sum of the cross-entropies of some positions, without keeping all their logits where a kernel can avoid it.</summary>
    /// <param name="hidden">Hidden states of those positions, (n, hidden).</param>
    /// <param name="targets">The token each of them should predict, (n), int64.</param>
    /// <returns>A scalar in the caller's dispose scope.</returns>
    Tensor CrossEntropy(Tensor hidden, Tensor targets);
}
