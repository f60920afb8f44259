using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>One layer's share in an adapter.</summary>
/// <param name="Module">The layer's full name; a <see cref="Projection"/> or a <see cref="TokenEmbedding"/> of the model.</param>
/// <param name="Tensors">The tensors it needs.</param>
/// <param name="Make">Makes the adapter once they are there, in that order.</param>
internal sealed record AdapterLayer(string Module, IReadOnlyList<TensorSpec> Tensors, Func<IReadOnlyList<Parameter>, IAdapter> Make);

/// <summary>Tensors of an adapter that belong to no one layer; they are there, and filled, before any layer's adapter is made.</summary>
/// <param name="Tensors">The tensors, with their full names in the PEFT file.</param>
/// <param name="Start">Fills them as a new adapter has them; also called, with a generator that means nothing, when not all of them are stored.</param>
internal sealed record SharedTensors(IReadOnlyList<TensorSpec> Tensors, Action<IReadOnlyList<Parameter>, SplitMix64> Start)
{
    /// <summary>The tensors, once memory was taken.</summary>
    internal IReadOnlyList<Parameter> Values { get; set; } = [];
}

/// <summary>What a kind of adapter puts on a model; a value that nothing was allocated for yet.</summary>
internal sealed record AdapterParts
{
    /// <summary>The layers that get adapters.</summary>
    internal IReadOnlyList<AdapterLayer> Layers { get; init; } = [];

    /// <summary>Tensors that several layers share, or that belong to the whole model.</summary>
    internal IReadOnlyList<SharedTensors> Shared { get; init; } = [];

    /// <summary>The model's own parameters that train and are stored whole, under their full names in the PEFT file, beside those of <see cref="PeftConfig.ModulesToSave"/>.</summary>
    internal IReadOnlyList<(string Name, Parameter Value)> Whole { get; init; } = [];

    /// <summary>Names and shapes of tensors that a file may have or not: those of <see cref="Whole"/> that then stay as they are, and others that have no effect.</summary>
    internal IReadOnlyList<(string Name, long[] Shape)> Optional { get; init; } = [];

    /// <summary>Puts what belongs to the whole model (a prompt, a prefix) in place; disposing the result takes it away. Called last.</summary>
    internal Func<IDisposable>? Place { get; init; }

    /// <summary>Why it cannot be merged into weights; null where it can.</summary>
    internal string? Unmergeable { get; init; }

    /// <summary>What it does while it trains; null for nothing. Called once the tensors are there.</summary>
    internal Func<IAdapterTraining>? Training { get; init; }

    /// <summary>Turns settings and stored tensors into those of the PEFT file, where they are not the same (ranks pruned away, an encoder's output).</summary>
    internal Func<PeftConfig, NamedTensors, (PeftConfig Config, NamedTensors Tensors)>? Export { get; init; }

    /// <summary>Turns settings and stored tensors into those of a plain adapter for the base as it is in its file; null where they are that already.</summary>
    internal Func<PeftConfig, NamedTensors, (PeftConfig Config, NamedTensors Tensors)>? ForUntouchedBase { get; init; }
}

/// <summary>What a kind of adapter does while it trains, beside having gradients.</summary>
internal interface IAdapterTraining
{
    /// <summary>A term added to the mean loss of each step, a scalar in the caller's dispose scope; null for none.</summary>
    Tensor? Penalty();

    /// <summary>After the optimiser's step, while the gradients are still there.</summary>
    /// <param name="step">Number of the step, from 0 over the whole run.</param>
    /// <param name="gradientScale">The factor with which the optimiser took the gradients: below 1 where they were clipped.</param>
    void AfterStep(long step, double gradientScale);

    /// <summary>What it must remember to go on later; the arrays themselves, not copies.</summary>
    NamedTensors State();
}
