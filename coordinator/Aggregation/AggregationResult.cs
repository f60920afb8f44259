namespace Federated.Coordinator.Aggregation;

/// <summary>What a rule returns beside the adapter that it wrote.</summary>
/// <param name="Diagnostics">
/// Finite numbers for the round's record and the report, by name; <c>layer/quantity</c> for one adapted layer, plain <c>quantity</c> for the whole adapter.
/// </param>
/// <param name="State">What the rule wants back next round; null when it carries nothing. The store saves it with the round.</param>
public sealed record AggregationResult(IReadOnlyDictionary<string, double> Diagnostics, byte[]? State);
