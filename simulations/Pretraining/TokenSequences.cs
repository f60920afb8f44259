using Federated.Client.Tokenizers;
using Federated.Client.Training;
using Federated.Shared.Randomness;

namespace Federated.Simulations.Pretraining;

/// <summary>Documents as one stream of tokens, each ended by the end-of-text token, cut into sequences of equal length.</summary>
public sealed class TokenSequences
{
    private readonly int _context;

    /// <summary>Tokenises <paramref name="documents"/>.</summary>
    public TokenSequences(IEnumerable<string> documents, ITokenizer tokenizer, int endOfText, int context)
    {
        List<int> ids = [];
        foreach (string document in documents)
        {
            tokenizer.Encode(document, ids, addSpecialTokens: false);
            ids.Add(endOfText);
        }

        Tokens = [.. ids];
        _context = context;
    }

    /// <summary>All tokens.</summary>
    public int[] Tokens { get; }

    /// <summary>Whole sequences in the stream; a shorter rest is left out.</summary>
    public int Sequences => Tokens.Length / _context;

    /// <summary>All sequences in order, a batch of <paramref name="size"/> at a time.</summary>
    public IEnumerable<TrainingBatch> InOrder(int size) =>
        Enumerable.Range(0, Sequences).Chunk(size).Select(Batch);

    /// <summary>
    /// Batches without end: an epoch has each sequence once, in an order of its own, but for the rest that fills no batch. Starts after
    /// <paramref name="skip"/> batches.
    /// </summary>
    public IEnumerable<TrainingBatch> Shuffled(int size, ulong seed, int skip)
    {
        int perEpoch = Math.Max(1, Sequences / size);
        int first = skip / perEpoch;
        for (int epoch = first; ; epoch++)
        {
            int[] order = [.. Enumerable.Range(0, Sequences)];
            new SplitMix64(seed + (ulong)epoch).Shuffle<int>(order);
            for (int batch = epoch == first ? skip % perEpoch : 0; batch < perEpoch; batch++)
                yield return Batch(order[(batch * size)..Math.Min(order.Length, (batch + 1) * size)]);
        }
    }

    private TrainingBatch Batch(int[] sequences) =>
        TrainingBatch.ForLanguageModel([.. sequences.Select(index => new ReadOnlyMemory<int>(Tokens, index * _context, _context))]);
}
