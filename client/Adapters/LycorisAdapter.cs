using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>What LoHa and LoKr have in common: W' = W + s·ΔW, of which training may drop rows or all.</summary>
public abstract class LycorisAdapter : ILinearAdapter
{
    private readonly double _rankDropout, _moduleDropout;

    private protected LycorisAdapter(LycorisConfig config, string module)
    {
        (_rankDropout, _moduleDropout) = (config.RankDropout, config.ModuleDropout);
        Scale = config.ScalingOf(module);
    }

    /// <inheritdoc/>
    public abstract void Initialise(Tensor weight, SplitMix64 random);

    /// <summary>s = alpha / r.</summary>
    protected double Scale { get; }

    /// <summary>Whether what dropped rows leave is scaled up by what they took.</summary>
    protected virtual bool ScalesDropout => true;

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        bool dropped = target.training && _moduleDropout > 0 && rand(1).item<float>() <= _moduleDropout;
        Tensor output = dropped
            ? Kernels.Linear(input, target.Matrix, target.Bias)
            : Forward(input, target, target.training && _rankDropout > 0 ? Kept(target.Outputs) : null);
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        return ((weight + Change()).MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    /// <summary>s·ΔW, (out, in).</summary>
    protected abstract Tensor Change();

    /// <summary>x·(W + diag(kept)·s·ΔW)ᵀ + b.</summary>
    /// <param name="input">(n, in).</param>
    /// <param name="target">The layer.</param>
    /// <param name="kept">Factors of the change's rows, (out); null for ones.</param>
    protected abstract Tensor Forward(Tensor input, Projection target, Tensor? kept);

    private Tensor Kept(long outputs)
    {
        Tensor kept = rand(outputs).gt(_rankDropout).to(ScalarType.Float32);
        return ScalesDropout ? kept / kept.mean().clamp(min: 1.0 / outputs) : kept;
    }
}
