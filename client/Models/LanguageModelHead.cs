using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Next-token logits at every position, by a matrix of its own (usually <c>lm_head</c>) or by the token table (tied).</summary>
public sealed class LanguageModelHead : ITokenHead
{
    /// <summary>The name of most heads of this kind.</summary>
    internal const string Name = "lm_head";

    private readonly Projection? _own;
    private readonly Parameter _table;
    private readonly Parameter? _bias;

    private LanguageModelHead(Projection own, string name) => (_own, _table, _bias, Modules) = (own, own.Weight, own.Bias, [(name, own)]);

    private LanguageModelHead(Parameter table, TokenBias? bias) => (_table, _bias, Modules) = (table, bias?.Bias, bias is null ? [] : [(Name, bias)]);

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, nn.Module Module)> Modules { get; }

    /// <summary>A head with a matrix of its own, (vocabulary, hidden).</summary>
    public static LanguageModelHead Separate(long hidden, long vocabulary, bool bias = false, string name = Name) => new(new(hidden, vocabulary, bias), name);

    /// <summary>A head that shares the token table, (vocabulary, hidden); a bias a token is its own.</summary>
    public static LanguageModelHead Tied(Parameter table, bool bias = false) => new(table, bias ? new TokenBias(table.shape[0]) : null);

    /// <summary>Whether the token table serves as its matrix.</summary>
    public bool IsTied => _own is null;

    /// <inheritdoc/>
    public long[]? Positions(ModelInput input) => null;

    /// <summary>(n, hidden) → (n, vocabulary).</summary>
    public Tensor Logits(Tensor hidden) => _own is null ? Kernels.Linear(hidden, _table, _bias) : _own.call(hidden);

    /// <inheritdoc/>
    public Tensor CrossEntropy(Tensor hidden, Tensor targets)
    {
        if (_own?.Adapter is null)
            return Kernels.LinearCrossEntropy(hidden, _table, _bias, targets);
        using DisposeScope scope = NewDisposeScope();
        return nn.functional.cross_entropy(_own.call(hidden), targets, reduction: nn.Reduction.Sum).MoveToOuterDisposeScope();
    }
}

/// <summary>What a tied head has of its own.</summary>
internal sealed class TokenBias : nn.Module
{
    [ComponentName(Name = "bias")] private readonly Parameter _bias;

    internal TokenBias(long vocabulary) : base(nameof(TokenBias))
    {
        _bias = Weights.Allocate(vocabulary);
        RegisterComponents();
    }

    internal Parameter Bias => _bias;
}
