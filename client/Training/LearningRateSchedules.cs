using System.Collections.Frozen;

namespace Federated.Client.Training;

/// <summary>The learning rate over a run: a linear rise from 0 during the warm-up, then one of these shapes, as in transformers.</summary>
public static class LearningRateSchedules
{
    /// <summary>Stays at its peak.</summary>
    public const string Constant = "constant";

    /// <summary>Falls in a straight line to 0 at the last step.</summary>
    public const string Linear = "linear";

    /// <summary>Falls along half a cosine to 0 at the last step.</summary>
    public const string Cosine = "cosine";

    private static readonly FrozenDictionary<string, Func<double, double>> Shapes = new Dictionary<string, Func<double, double>>
    {
        [Constant] = _ => 1,
        [Linear] = progress => 1 - progress,
        [Cosine] = progress => (1 + Math.Cos(Math.PI * progress)) / 2,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The known names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Shapes.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The factor in [0, 1] by which the peak rate is multiplied at a step.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="step">From 0; the first step of a warm-up has the factor 0.</param>
    /// <param name="warmup">Steps of the rise, 0 for none.</param>
    /// <param name="total">Steps of the whole run; beyond it the factor is the last one's limit.</param>
    public static double Factor(string name, int step, int warmup, int total) => step < warmup
        ? (double)step / warmup
        : Shapes[name](Math.Clamp((double)(step - warmup) / Math.Max(1, total - warmup), 0, 1));
}
