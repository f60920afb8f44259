namespace Federated.Simulations.Pretraining;

/// <summary>A bigram model interpolated with unigrams and the uniform distribution: the yardstick that a language model must beat.</summary>
/// <remarks>
/// p(b | a) = w2 c(a,b)/c(a) + w1 c(b)/N + w0/V (Jelinek and Mercer 1980). The weights are those, on a grid, that are best for
/// the very text that is measured, so the yardstick is given every advantage.
/// </remarks>
public sealed class BigramModel
{
    private readonly Dictionary<long, int> _pairs = [];
    private readonly int[] _counts;
    private readonly long _total;

    /// <summary>Counts the pairs of <paramref name="tokens"/>.</summary>
    public BigramModel(ReadOnlySpan<int> tokens, int vocabulary)
    {
        _counts = new int[vocabulary];
        _total = tokens.Length;
        for (int i = 0; i < tokens.Length; i++)
        {
            _counts[tokens[i]]++;
            if (i > 0)
                System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_pairs, Pair(tokens[i - 1], tokens[i]), out _)++;
        }
    }

    /// <summary>Perplexity on <paramref name="tokens"/>, predicting each token but the first of every <paramref name="context"/>.</summary>
    public double Perplexity(ReadOnlySpan<int> tokens, int context)
    {
        double best = double.PositiveInfinity;
        foreach (double pair in (double[])[0.5, 0.6, 0.7, 0.8, 0.9])
        {
            foreach (double uniform in (double[])[0.001, 0.01, 0.05])
                best = Math.Min(best, CrossEntropy(tokens, context, pair, 1 - pair - uniform, uniform));
        }

        return Math.Exp(best);
    }

    private double CrossEntropy(ReadOnlySpan<int> tokens, int context, double pairWeight, double singleWeight, double uniformWeight)
    {
        double sum = 0;
        long predictions = 0;
        for (int i = 1; i < tokens.Length; i++)
        {
            if (i % context == 0)
                continue;

            (int previous, int next) = (tokens[i - 1], tokens[i]);
            double conditional = _counts[previous] == 0 ? 0 : _pairs.GetValueOrDefault(Pair(previous, next)) / (double)_counts[previous];
            sum -= Math.Log((pairWeight * conditional) + (singleWeight * _counts[next] / _total) + (uniformWeight / _counts.Length));
            predictions++;
        }

        return sum / predictions;
    }

    private static long Pair(int first, int second) => ((long)first << 32) | (uint)second;
}
