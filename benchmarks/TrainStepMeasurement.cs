namespace Federated.Benchmarks;

/// <summary>What one process measured; the peer's script prints the same names.</summary>
/// <param name="TokensPerSecond">Median over steps of real tokens, or images, a second of wall time.</param>
/// <param name="TokensPerCpuSecond">The same over the process's CPU time, which other programs disturb less.</param>
/// <param name="Steps">Steps measured.</param>
/// <param name="FirstLoss">Loss of the first step.</param>
/// <param name="LaterLoss">Loss of the step that ends the first pass over the batches.</param>
/// <param name="PeakMiB">Largest resident memory of the process, MiB.</param>
/// <param name="Version">What was measured.</param>
internal sealed record TrainStepMeasurement(
    double TokensPerSecond, double TokensPerCpuSecond, int Steps, double FirstLoss, double LaterLoss, double PeakMiB, string Version)
{
    /// <summary>CPU time of the step's matrix products alone over the step's CPU time; ours only, 0 where it is not known.</summary>
    public double ProductShare { get; init; }

    /// <summary>The products' operations over the step's CPU time, as a share of what a large product reaches; ours only, 0 where it is not known.</summary>
    public double PeakShare { get; init; }
}

/// <summary>Both sides on one architecture, batch shape and thread count; figures are medians over turns.</summary>
internal sealed record TrainStepComparison(string Architecture, string Case, int Threads, List<TrainStepMeasurement> Ours, List<TrainStepMeasurement> Peers)
{
    public double TokensPerSecond => Median(Ours, m => m.TokensPerSecond);

    public double PeerTokensPerSecond => Median(Peers, m => m.TokensPerSecond);

    public double SpeedRatio => TokensPerSecond / PeerTokensPerSecond;

    public double CpuRatio => Median(Ours, m => m.TokensPerCpuSecond) / Median(Peers, m => m.TokensPerCpuSecond);

    public double PeakMiB => Median(Ours, m => m.PeakMiB);

    public double PeerPeakMiB => Median(Peers, m => m.PeakMiB);

    public double MemoryRatio => PeakMiB / PeerPeakMiB;

    public double ProductShare => Median(Ours, m => m.ProductShare);

    public double PeakShare => Median(Ours, m => m.PeakShare);

    /// <summary>Refuses to compare runs that did not compute the same: one model, adapter and data must give one loss on both sides.</summary>
    internal void CheckSameWork()
    {
        foreach ((TrainStepMeasurement ours, TrainStepMeasurement peer) in Ours.Zip(Peers))
        {
            if (!(Math.Abs(ours.FirstLoss - peer.FirstLoss) <= 1e-3 && Math.Abs(ours.LaterLoss - peer.LaterLoss) <= 1e-2))
                throw new InvalidOperationException($"The losses differ: {ours.FirstLoss}, {ours.LaterLoss} here, {peer.FirstLoss}, {peer.LaterLoss} at the peer.");
        }
    }

    private static double Median(List<TrainStepMeasurement> turns, Func<TrainStepMeasurement, double> of)
    {
        double[] values = [.. turns.Select(of).Order()];
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
