using System.Text.Json;

namespace Federated.Benchmarks;

/// <summary>What one process of the aggregation benchmark measured.</summary>
internal sealed record AggregationMeasurement
{
    /// <summary>Names as the peer's script writes them.</summary>
    public static JsonSerializerOptions Json { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>Best of the repeats.</summary>
    public double Seconds { get; init; }

    /// <summary>Seconds of all processors in the best repeat: what the work costs, also on a busy machine.</summary>
    public double CpuSeconds { get; init; }

    /// <summary>Seconds of loading before, where a peer needs the updates in memory.</summary>
    public double LoadSeconds { get; init; }

    /// <summary>Peak resident memory less what the process held before, in MiB.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("peak_above_idle_mib")]
    public double PeakAboveIdleMiB { get; init; }

    /// <summary>First value of the aggregate, so that a reader sees that both computed the same.</summary>
    public double First { get; init; }

    /// <summary>Bytes a second read from memory by all threads, for the bandwidth measurement.</summary>
    public double ReadBytesPerSecond { get; init; }

    /// <summary>Bytes a second of input of acc += w x, for the bandwidth measurement.</summary>
    public double AxpyBytesPerSecond { get; init; }
}
