using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Labels of each image from the mean of its patches (<c>head</c>).</summary>
internal sealed class MeanPatchHead(long patches, Projection head) : IModelHead
{
    /// <inheritdoc/>
    public IReadOnlyList<(string Name, nn.Module Module)> Modules => [("head", head)];

    /// <inheritdoc/>
    public long[]? Positions(ModelInput input) => null;

    /// <summary>(rows · patches, hidden) → (rows, labels).</summary>
    public Tensor Logits(Tensor hidden)
    {
        using DisposeScope scope = NewDisposeScope();
        return head.call(hidden.view(-1, patches, hidden.shape[1]).mean([1])).MoveToOuterDisposeScope();
    }
}
