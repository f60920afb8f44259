using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>All that a rule sees of one round.</summary>
public sealed class AggregationRound
{
    private readonly double[] _weights;

    /// <summary>Checks the updates and puts them in the order of their sites (ordinal), in which every sum is taken.</summary>
    /// <param name="number">Number of the round, from 1.</param>
    /// <param name="scaling">The plan's factor s = alpha / r in front of B A.</param>
    /// <param name="global">The adapter that the round started from.</param>
    /// <param name="updates">At least one, in any order, no site twice.</param>
    /// <param name="state">What the rule returned last round; null in the first.</param>
    /// <exception cref="AggregationException">No update, a site twice, or a weight, scaling or sum of weights that is not positive and finite.</exception>
    public AggregationRound(int number, double scaling, SafetensorsFile global, IEnumerable<AggregationUpdate> updates, byte[]? state = null)
    {
        AggregationUpdate[] ordered = [.. updates.OrderBy(update => update.Site, StringComparer.Ordinal)];
        Check(number, scaling, ordered);
        Number = number;
        Scaling = scaling;
        Global = global;
        Updates = ordered;
        State = state;
        double total = ordered.Sum(update => update.Weight);
        if (!double.IsFinite(total))
            throw new AggregationException($"Round {number}: the weights sum to {total}, beyond float64; give them in a larger unit.");

        _weights = Array.ConvertAll(ordered, update => update.Weight / total);
    }

    /// <summary>Number of the round, from 1.</summary>
    public int Number { get; }

    /// <summary>The plan's factor s = alpha / r in front of B A.</summary>
    public double Scaling { get; }

    /// <summary>The adapter that the round started from.</summary>
    public SafetensorsFile Global { get; }

    /// <summary>The updates in ordinal order of their sites.</summary>
    public IReadOnlyList<AggregationUpdate> Updates { get; }

    /// <summary>Weights p_k of <see cref="Updates"/>: positive, they sum to 1.</summary>
    public ReadOnlySpan<double> Weights => _weights;

    /// <summary>What the rule returned last round; null in the first.</summary>
    public byte[]? State { get; }

    /// <summary>Threads that may work at once; changes the time, not the result.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    private static void Check(int number, double scaling, AggregationUpdate[] ordered)
    {
        if (ordered.Length == 0)
            throw new AggregationException($"Round {number} has no update to fold; at least 1 is needed.");
        if (!(scaling > 0 && double.IsFinite(scaling)))
            throw new AggregationException($"Round {number}: the plan's scaling alpha / r is {scaling}; it must be positive and finite.");

        for (int i = 0; i < ordered.Length; i++)
        {
            AggregationUpdate update = ordered[i];
            if (i > 0 && ordered[i - 1].Site == update.Site)
                throw new AggregationException($"Round {number} holds two updates of site '{update.Site}'; one per site is folded.", update.Site);
            if (!(update.Weight > 0 && double.IsFinite(update.Weight)))
                throw new AggregationException($"Round {number}, site '{update.Site}': weight {update.Weight}; it must be positive and finite.", update.Site);
            if (!(update.Scaling > 0 && double.IsFinite(update.Scaling)))
                throw new AggregationException($"Round {number}, site '{update.Site}': scaling {update.Scaling}; it must be positive and finite.", update.Site);
        }
    }
}
