using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Logits of the token at every position: the token table times norm(activation(W h + b)), plus a bias a token.</summary>
/// <remarks>Source: Devlin et al. 2019, arXiv:1810.04805; RoBERTa's and DistilBERT's heads differ in names only.</remarks>
internal sealed class MaskedLanguageModelHead(
    IReadOnlyList<(string Name, nn.Module Module)> modules, Projection transform, Activation activation, LayerNorm norm, TokenEmbedding table, Parameter bias) : ITokenHead
{
    /// <inheritdoc/>
    public IReadOnlyList<(string Name, nn.Module Module)> Modules => modules;

    /// <inheritdoc/>
    public long[]? Positions(ModelInput input) => null;

    /// <summary>(n, hidden) → (n, vocabulary).</summary>
    public Tensor Logits(Tensor hidden)
    {
        using DisposeScope scope = NewDisposeScope();
        return Kernels.Linear(Transformed(hidden), table.Weight, bias).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor CrossEntropy(Tensor hidden, Tensor targets)
    {
        using DisposeScope scope = NewDisposeScope();
        return Kernels.LinearCrossEntropy(Transformed(hidden), table.Weight, bias, targets).MoveToOuterDisposeScope();
    }

    private Tensor Transformed(Tensor hidden) => norm.call(activation.Apply(transform.call(hidden)));
}
