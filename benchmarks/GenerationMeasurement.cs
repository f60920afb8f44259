namespace Federated.Benchmarks;

/// <summary>What one process found: medians over its prompts, the prompt's own pass included.</summary>
internal sealed record GenerationMeasurement(int[][] Tokens, double TokensPerSecond, double TokensPerCpuSecond, double PeakMiB, string Version);

/// <summary>Both sides on one model and thread count; figures are medians over turns.</summary>
internal sealed record GenerationComparison(string Case, int Threads, List<GenerationMeasurement> Ours, List<GenerationMeasurement> Peers)
{
    public double TokensPerSecond => Median(Ours, m => m.TokensPerSecond);

    public double PeerTokensPerSecond => Median(Peers, m => m.TokensPerSecond);

    public double SpeedRatio => TokensPerSecond / PeerTokensPerSecond;

    public double CpuRatio => Median(Ours, m => m.TokensPerCpuSecond) / Median(Peers, m => m.TokensPerCpuSecond);

    public double PeakMiB => Median(Ours, m => m.PeakMiB);

    public double PeerPeakMiB => Median(Peers, m => m.PeakMiB);

    /// <summary>Refuses to compare runs that did not write the same: one model and prompt give one greedy text, but for ties in the last digits.</summary>
    internal void CheckSameWork()
    {
        foreach ((GenerationMeasurement ours, GenerationMeasurement peer) in Ours.Zip(Peers))
        {
            int same = ours.Tokens.Zip(peer.Tokens).Count(texts => texts.First.AsSpan(0, texts.First.Length / 4).SequenceEqual(texts.Second.AsSpan(0, texts.First.Length / 4)));
            if (same < ours.Tokens.Length)
                throw new InvalidOperationException($"Only {same} of {ours.Tokens.Length} texts begin alike on both sides.");
        }
    }

    private static double Median(List<GenerationMeasurement> turns, Func<GenerationMeasurement, double> of)
    {
        double[] values = [.. turns.Select(of).Order()];
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
