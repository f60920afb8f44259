using System.Runtime.InteropServices;
using Federated.Client.Training;

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

    /// <summary>Counts the tokens, and the pairs within each row.</summary>
    public BigramModel(IEnumerable<TrainingBatch> text, int vocabulary)
    {
        ArgumentNullException.ThrowIfNull(text);
        _counts = new int[vocabulary];
        foreach (TrainingBatch batch in text)
        {
            foreach (long token in batch.Tokens.Ids.Span)
                _counts[token]++;
            _total += batch.Tokens.Count;
            foreach ((long previous, long next) in Pairs(batch))
                CollectionsMarshal.GetValueRefOrAddDefault(_pairs, Key(previous, next), out _)++;
        }
    }

    /// <summary>Perplexity of the predictions that a language model makes on the same batches.</summary>
    public double Perplexity(IEnumerable<TrainingBatch> text)
    {
        (long Previous, long Next)[] pairs = [.. text.SelectMany(Pairs)];
        double best = double.PositiveInfinity;
        foreach (double pair in (double[])[0.5, 0.6, 0.7, 0.8, 0.9])
        {
            foreach (double uniform in (double[])[0.001, 0.01, 0.05])
                best = Math.Min(best, CrossEntropy(pairs, pair, 1 - pair - uniform, uniform));
        }

        return Math.Exp(best);
    }

    private double CrossEntropy((long Previous, long Next)[] pairs, double pairWeight, double singleWeight, double uniformWeight)
    {
        double sum = 0;
        foreach ((long previous, long next) in pairs)
        {
            double conditional = _counts[previous] == 0 ? 0 : _pairs.GetValueOrDefault(Key(previous, next)) / (double)_counts[previous];
            sum -= Math.Log((pairWeight * conditional) + (singleWeight * _counts[next] / _total) + (uniformWeight / _counts.Length));
        }

        return sum / pairs.Length;
    }

    private static List<(long Previous, long Next)> Pairs(TrainingBatch batch)
    {
        List<(long, long)> pairs = [];
        ReadOnlySpan<int> offsets = batch.Tokens.Offsets.Span;
        ReadOnlySpan<long> ids = batch.Tokens.Ids.Span;
        for (int row = 0; row < batch.Tokens.Rows; row++)
        {
            for (int i = offsets[row] + 1; i < offsets[row + 1]; i++)
            {
                if (batch.TokenLabels![i] != TrainingBatch.Ignored)
                    pairs.Add((ids[i - 1], ids[i]));
            }
        }

        return pairs;
    }

    private static long Key(long first, long second) => (first << 32) | second;
}
