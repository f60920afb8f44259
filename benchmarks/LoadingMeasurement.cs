namespace Federated.Benchmarks;

/// <summary>What one process measured; the peer's script prints the same names.</summary>
/// <param name="Seconds">Time from the folder's name to the last parameter filled.</param>
/// <param name="CpuSeconds">CPU time of it.</param>
/// <param name="ModelMiB">Bytes of all parameters, as float32.</param>
/// <param name="LargestTensorMiB">Bytes of the largest one, as float32.</param>
/// <param name="IdleMiB">Resident memory before.</param>
/// <param name="PeakMiB">Largest resident memory of the process, mapped files included.</param>
/// <param name="Sum">Sum of the first numbers of all parameters: both sides must have read the same.</param>
/// <param name="Version">What was measured.</param>
internal sealed record LoadingMeasurement(
    double Seconds, double CpuSeconds, double ModelMiB, double LargestTensorMiB, double IdleMiB, double PeakMiB, double Sum, string Version)
{
    /// <summary>Bytes of parameters filled in a second when they are copied from memory into fresh memory, which the system clears first; ours only.</summary>
    public double FreshCopyBytesPerSecond { get; init; }
}
