namespace Federated.Coordinator.Aggregation;

/// <summary>How the updates of one round become the next global adapter. One file per rule; what it carries from round to round is a value.</summary>
/// <remarks>
/// A rule reads the updates block by block from their files and writes as it goes, so its memory does not grow with the number of updates.
/// The same input gives the same bits, whatever the order in which updates arrived and however many threads work.
/// An instance holds its options only: it may serve any number of rounds, from any thread.
/// </remarks>
public interface IAggregationRule
{
    /// <summary>Its name in run descriptions and plans, one of <see cref="AggregationRules"/>.</summary>
    string Name { get; }

    /// <summary>Folds one round.</summary>
    /// <param name="round">The updates and what they started from.</param>
    /// <param name="output">Receives the next global adapter, a safetensors file in float32; left open and flushed. What was written is void if this throws.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <exception cref="AggregationException">
    /// An update does not fit the global adapter, or the result is not finite. The message names the site and the tensor.
    /// </exception>
    AggregationResult Aggregate(AggregationRound round, Stream output, CancellationToken cancellation);
}
