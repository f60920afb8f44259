namespace Federated.Client.Training;

/// <summary>How often a classifier is right, by how sure it was: the predictions in 15 bins of equal width over the largest probability.</summary>
/// <remarks>
/// Expected calibration error = Σ_m |B_m| / n · |accuracy(B_m) − confidence(B_m)|, where bin m of M = 15 holds the predictions whose confidence
/// is in ((m − 1) / M, m / M] and both terms are means over the bin. Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017,
/// equation 3.
/// </remarks>
public sealed class CalibrationBins
{
    /// <summary>Number of bins.</summary>
    public const int Count = 15;

    private readonly long[] _predictions = new long[Count];
    private readonly long[] _correct = new long[Count];
    private readonly double[] _confidence = new double[Count];

    /// <summary>Counts a prediction.</summary>
    /// <param name="confidence">Probability of the predicted class, in (0, 1].</param>
    /// <param name="correct">Whether it is the true one.</param>
    public void Add(double confidence, bool correct)
    {
        // The bin's upper end belongs to it, its lower end to the bin before.
        int bin = Math.Clamp((int)(confidence * Count), 0, Count - 1);
        if (bin > 0 && confidence <= (double)bin / Count)
            bin--;
        _predictions[bin]++;
        _confidence[bin] += confidence;
        _correct[bin] += correct ? 1 : 0;
    }

    /// <summary>Counts what another one has counted.</summary>
    public void Add(CalibrationBins other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (int bin = 0; bin < Count; bin++)
        {
            _predictions[bin] += other._predictions[bin];
            _confidence[bin] += other._confidence[bin];
            _correct[bin] += other._correct[bin];
        }
    }

    /// <summary>The expected calibration error, in [0, 1]; NaN without predictions.</summary>
    public double ExpectedError()
    {
        double sum = 0;
        for (int bin = 0; bin < Count; bin++)
            sum += Math.Abs(_correct[bin] - _confidence[bin]);
        return sum / _predictions.Sum();
    }
}
