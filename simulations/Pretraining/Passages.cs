using Federated.Client.Tokenizers;
using Federated.Client.Training;
using Federated.Shared.Randomness;

namespace Federated.Simulations.Pretraining;

/// <summary>Documents as passages of tokens, each with the end-of-text token after it; see <see cref="PassageCutter"/>.</summary>
public sealed class Passages
{
    private readonly List<TaskRow> _passages = [];

    /// <summary>Tokenises <paramref name="documents"/>.</summary>
    /// <param name="documents">Texts; empty ones are left out.</param>
    /// <param name="tokenizer">Makes the tokens.</param>
    /// <param name="endOfText">The token after each passage.</param>
    /// <param name="context">Longest passage in tokens, its end included; at least 2.</param>
    public Passages(IEnumerable<string> documents, ITokenizer tokenizer, int endOfText, int context)
    {
        ArgumentNullException.ThrowIfNull(documents);
        PassageCutter cutter = new(tokenizer, endOfText, context);
        foreach (string document in documents)
            _passages.AddRange(cutter.Cut(document));
    }

    /// <summary>Number of passages.</summary>
    public int Count => _passages.Count;

    /// <summary>Tokens in all passages.</summary>
    public long Tokens => _passages.Sum(passage => (long)passage.Tokens.Length);

    /// <summary>All passages in order, a batch of <paramref name="size"/> at a time.</summary>
    public IEnumerable<TrainingBatch> InOrder(int size) => Enumerable.Range(0, Count).Chunk(size).Select(Batch);

    /// <summary>
    /// Batches without end: an epoch has each passage once, in an order of its own, but for the rest that fills no batch. Starts after
    /// <paramref name="skip"/> batches.
    /// </summary>
    public IEnumerable<TrainingBatch> Shuffled(int size, ulong seed, int skip)
    {
        int perEpoch = Math.Max(1, Count / size);
        int first = skip / perEpoch;
        for (int epoch = first; ; epoch++)
        {
            int[] order = [.. Enumerable.Range(0, Count)];
            new SplitMix64(seed + (ulong)epoch).Shuffle<int>(order);
            for (int batch = epoch == first ? skip % perEpoch : 0; batch < perEpoch; batch++)
                yield return Batch(order[(batch * size)..Math.Min(order.Length, (batch + 1) * size)]);
        }
    }

    private TrainingBatch Batch(int[] passages) => TrainingBatch.ForLanguageModel([.. passages.Select(index => _passages[index])]);
}
