using System.Collections.Frozen;
using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Training;

/// <summary>Moves parameters along gradients. Keeps its state in managed memory, so that it can be saved and shipped.</summary>
public interface ILocalOptimizer
{
    /// <summary>Begins the next step: the updates that follow belong to it.</summary>
    /// <param name="learningRate">The rate of this step.</param>
    /// <param name="gradientScale">Factor of every gradient, 1 unless clipped.</param>
    void BeginStep(double learningRate, double gradientScale);

    /// <summary>Updates one parameter in place.</summary>
    /// <param name="index">Its number in the list the optimiser was made for.</param>
    /// <param name="values">Its values. Modified.</param>
    /// <param name="gradient">Its gradient, as long as the values.</param>
    void Update(int index, Span<float> values, ReadOnlySpan<float> gradient);

    /// <summary>The state, one tensor a parameter and moment (<c>exp_avg.NAME</c>); the arrays themselves, not copies.</summary>
    NamedTensors State();

    /// <summary>Takes over a state made by <see cref="State"/> after <paramref name="steps"/> steps.</summary>
    /// <exception cref="TensorFormatException">Names or shapes differ from this optimiser's.</exception>
    void Restore(NamedTensors state, int steps);
}

/// <summary>The optimisers by name: a new one is one file and one line here.</summary>
public static class LocalOptimizers
{
    /// <summary>Adam with decoupled weight decay.</summary>
    public const string AdamW = "adamw";

    /// <summary>Stochastic gradient descent with momentum.</summary>
    public const string Sgd = "sgd";

    private static readonly FrozenDictionary<string, Func<IReadOnlyList<(string Name, Parameter Value)>, TrainingOptions, ILocalOptimizer>> Makers =
        new Dictionary<string, Func<IReadOnlyList<(string Name, Parameter Value)>, TrainingOptions, ILocalOptimizer>>
        {
            [AdamW] = (parameters, options) => new AdamW(parameters, options),
            [Sgd] = (parameters, options) => new Sgd(parameters, options),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The known names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Makers.Keys.Order(StringComparer.Ordinal)];

    /// <summary>A new optimiser for some parameters.</summary>
    internal static ILocalOptimizer Create(IReadOnlyList<(string Name, Parameter Value)> parameters, TrainingOptions options) =>
        Makers[options.Optimizer](parameters, options);
}
