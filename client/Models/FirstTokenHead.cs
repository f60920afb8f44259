using Federated.Client.Models.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>An encoder's classification head: labels of each row from its first token, through a layer between where there is one.</summary>
/// <param name="modules">The head's modules, top level of the model.</param>
/// <param name="between">W and b before the activation; null for none.</param>
/// <param name="activation">The function after <paramref name="between"/>.</param>
/// <param name="output">(hidden) → (labels).</param>
/// <param name="first">The first positions of an input's rows; null for those of a batch of tokens.</param>
internal sealed class FirstTokenHead(
    IReadOnlyList<(string Name, nn.Module Module)> modules, Projection? between, Activation activation, Projection output, Func<ModelInput, long[]>? first = null) : IModelHead
{
    /// <summary>Share of the numbers before the output that training drops.</summary>
    internal double Dropout { get; init; }

    /// <summary>Whether as many of the first token's are dropped too, as in RoBERTa.</summary>
    internal bool DropsTwice { get; init; }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, nn.Module Module)> Modules => modules;

    /// <summary>The first token of each row, padding or not, as in transformers.</summary>
    public long[]? Positions(ModelInput input) => first is null ? SequenceBatch.Of(input).FirstTokens() : first(input);

    /// <summary>(rows, hidden) → (rows, labels).</summary>
    public Tensor Logits(Tensor hidden)
    {
        using DisposeScope scope = NewDisposeScope();
        double dropout = output.training ? Dropout : 0;
        Tensor features = DropsTwice ? Kernels.Dropout(hidden, dropout) : hidden;
        if (between is not null)
            features = activation.Apply(between.call(features));
        return output.call(Kernels.Dropout(features, dropout)).MoveToOuterDisposeScope();
    }
}
