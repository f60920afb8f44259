namespace Federated.Coordinator.Aggregation;

/// <summary>A round that cannot be folded; the message says which site and tensor, got, wanted, and the way out.</summary>
public sealed class AggregationException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">What, where, got, wanted, way out.</param>
    /// <param name="site">The site whose update is to blame; null when none is.</param>
    public AggregationException(string message, string? site = null)
        : base(message) => Site = site;

    /// <summary>The site whose update is to blame, so that the round can go on without it; null when none is.</summary>
    public string? Site { get; }
}
