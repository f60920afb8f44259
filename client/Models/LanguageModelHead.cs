using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Next-token logits at every position, by a matrix of its own (usually <c>lm_head</c>) or by the token table (tied).</summary>
public sealed class LanguageModelHead : ITokenHead
{
    /// <summary>The name of most heads of this kind.</summary>
    internal const string Name = "lm_head";

    private readonly Projection? _own;
    private readonly Parameter? _table;
    private readonly string _name;

    private LanguageModelHead(Projection? own, Parameter? table, string name = Name) => (_own, _table, _name) = (own, table, name);

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, nn.Module Module)> Modules => _own is null ? [] : [(_name, _own)];

    /// <summary>A head with a matrix of its own, (vocabulary, hidden).</summary>
    public static LanguageModelHead Separate(long hidden, long vocabulary, bool bias = false, string name = Name) => new(new Projection(hidden, vocabulary, bias), null, name);

    /// <summary>A head that shares the token table, (vocabulary, hidden).</summary>
    public static LanguageModelHead Tied(Parameter table) => new(null, table);

    /// <inheritdoc/>
    public long[]? Positions(ModelInput input) => null;

    /// <summary>(n, hidden) → (n, vocabulary).</summary>
    public Tensor Logits(Tensor hidden) => _own is null ? Kernels.Linear(hidden, _table!, null) : _own.call(hidden);

    /// <inheritdoc/>
    public Tensor CrossEntropy(Tensor hidden, Tensor targets)
    {
        if (_own?.Adapter is null)
            return Kernels.LinearCrossEntropy(hidden, _own?.Weight ?? _table!, _own?.Bias, targets);
        using DisposeScope scope = NewDisposeScope();
        return nn.functional.cross_entropy(_own.call(hidden), targets, reduction: nn.Reduction.Sum).MoveToOuterDisposeScope();
    }
}
