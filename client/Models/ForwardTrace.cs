using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Collects what a forward pass computes on the way, for inspection and for parity tests. Padded batches only.</summary>
/// <remarks>The tensors are detached from every dispose scope and die with the trace.</remarks>
public sealed class ForwardTrace : IDisposable
{
    private readonly List<Tensor> _hiddenStates = [];
    private readonly List<Tensor> _attentions = [];

    /// <summary>The embedding output, then every block's output, each (positions, hidden); the last one is after the final norm.</summary>
    public IReadOnlyList<Tensor> HiddenStates => _hiddenStates;

    /// <summary>Every block's attention probabilities, (rows, heads, queries, keys).</summary>
    public IReadOnlyList<Tensor> Attentions => _attentions;

    internal void AddHidden(Tensor hidden) => _hiddenStates.Add(hidden.detach().DetachFromDisposeScope());

    internal void AddAttention(Tensor probabilities) => _attentions.Add(probabilities.detach().DetachFromDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        _hiddenStates.ForEach(tensor => tensor.Dispose());
        _attentions.ForEach(tensor => tensor.Dispose());
        _hiddenStates.Clear();
        _attentions.Clear();
    }
}
