using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>One accepted update.</summary>
/// <param name="Site">Who sent it; unique within a round.</param>
/// <param name="Weight">How much it counts, in any unit (examples, say): more than 0 and finite. A rule sees it divided by the sum over the round.</param>
/// <param name="Scaling">The factor s_k = alpha / r in front of B A where this update was trained; more than 0.</param>
/// <param name="Tensors">Its tensors, opened by the caller and closed by the caller after the fold.</param>
public sealed record AggregationUpdate(string Site, double Weight, double Scaling, SafetensorsFile Tensors);
