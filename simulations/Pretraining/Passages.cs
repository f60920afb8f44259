using Federated.Client.Tokenizers;
using Federated.Client.Training;
using Federated.Shared.Randomness;

namespace Federated.Simulations.Pretraining;

/// <summary>Documents as passages of tokens: a document that is too long is cut into pieces of nearly equal length; every passage ends with the end-of-text token.</summary>
/// <remarks>Where a document goes on after a passage, nobody could tell that the passage ends there: that end is not to be predicted.</remarks>
public sealed class Passages
{
    private readonly List<(ReadOnlyMemory<int> Tokens, bool IsEnd)> _passages = [];

    /// <summary>Tokenises <paramref name="documents"/>.</summary>
    /// <param name="documents">Texts; empty ones are left out.</param>
    /// <param name="tokenizer">Makes the tokens.</param>
    /// <param name="endOfText">The token after each passage.</param>
    /// <param name="context">Longest passage in tokens, its end included; at least 2.</param>
    public Passages(IEnumerable<string> documents, ITokenizer tokenizer, int endOfText, int context)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 2);
        List<int> ids = [];
        foreach (string document in documents)
        {
            ids.Clear();
            tokenizer.Encode(document, ids, addSpecialTokens: false);
            int pieces = (ids.Count + context - 2) / (context - 1);
            for (int piece = 0; piece < pieces; piece++)
            {
                int start = (int)((long)ids.Count * piece / pieces), end = (int)((long)ids.Count * (piece + 1) / pieces);
                _passages.Add(((int[])[.. ids[start..end], endOfText], piece == pieces - 1));
            }
        }
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

    private TrainingBatch Batch(int[] passages)
    {
        TrainingBatch batch = TrainingBatch.ForLanguageModel([.. passages.Select(index => _passages[index].Tokens)]);
        for (int row = 0; row < passages.Length; row++)
        {
            if (!_passages[passages[row]].IsEnd)
                batch.TokenLabels![batch.Tokens.Offsets.Span[row + 1] - 1] = TrainingBatch.Ignored;
        }

        return batch;
    }
}
