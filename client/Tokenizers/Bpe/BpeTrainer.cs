using System.Text;
using Federated.Client.Tokenizers.Decoders;

namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Learns a byte-level BPE tokenizer from texts: again and again the most frequent pair of neighbours becomes a token.</summary>
/// <remarks>
/// Source: Sennrich et al., ACL 2016, arXiv:1508.07909, algorithm 1, on bytes. Deterministic: of pairs equally frequent the one with the smaller
/// left id wins, then the smaller right id; the order of texts does not matter. A pair that overlaps itself (three equal symbols) counts at each
/// place where it stands. Memory grows with the number of different words, not with the length of the texts.
/// </remarks>
public static class BpeTrainer
{
    private const int ProgressStep = 256;

    /// <summary>Trains a tokenizer.</summary>
    /// <param name="texts">Read once, in any order.</param>
    /// <param name="options">What to make.</param>
    /// <param name="progress">Told now and then.</param>
    /// <param name="cancellation">Stops the training.</param>
    /// <returns>A tokenizer of the size wanted, or a smaller one if no pair is left that occurs often enough.</returns>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static Tokenizer Train(
        IEnumerable<string> texts, BpeTrainerOptions options, IProgress<BpeTrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        List<string> tokens = StartingTokens(options);
        int firstByte = tokens.Count - 256;
        Dictionary<string, long> words = WordCounter.Count(texts, options.PreTokenisers, progress, cancellation);
        int[] byteIds = new int[256];
        for (int id = firstByte; id < tokens.Count; id++)
        {
            ByteAlphabet.TryByteOf(tokens[id][0], out byte value);
            byteIds[value] = id;
        }

        PairCounts pairs = new(words.Select(word => (Array.ConvertAll(Encoding.UTF8.GetBytes(word.Key), value => byteIds[value]), word.Value)));
        Dictionary<string, int> ids = tokens.Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        List<BpeMerge> merges = [];
        while (tokens.Count < options.VocabularySize && pairs.TryTakeMostFrequent(options.MinimumFrequency, out int left, out int right))
        {
            cancellation.ThrowIfCancellationRequested();
            string merged = tokens[left] + tokens[right];
            if (!ids.TryGetValue(merged, out int id))
                (id, ids[merged]) = (tokens.Count, tokens.Count);

            // Text that spells a special token does not become it.
            if (id < firstByte)
                continue;

            // A string that another pair has made before keeps its id: a merge is added, but no token.
            merges.Add(new(left, right, id));
            pairs.Merge(left, right, id);
            if (id < tokens.Count)
                continue;

            tokens.Add(merged);
            if (tokens.Count % ProgressStep == 0)
                progress?.Report(new(BpeTrainingStage.Merging, tokens.Count, options.VocabularySize));
        }

        progress?.Report(new(BpeTrainingStage.Merging, tokens.Count, options.VocabularySize));
        return Assemble(tokens, merges, options);
    }

    private static List<string> StartingTokens(BpeTrainerOptions options)
    {
        int least = options.SpecialTokens.Count + 256;
        if (options.VocabularySize < least || options.VocabularySize > TokenizerLimits.MaxVocabulary)
            throw new ArgumentException($"VocabularySize is {options.VocabularySize}; wanted {least} ({options.SpecialTokens.Count} special tokens and 256 bytes) to {TokenizerLimits.MaxVocabulary}.", nameof(options));

        if (options.MinimumFrequency < 1)
            throw new ArgumentException($"MinimumFrequency is {options.MinimumFrequency}; wanted 1 or more.", nameof(options));

        if (options.PreTokenisers is not [.., { MapsBytes: true }])
            throw new ArgumentException("PreTokenisers do not end with one that maps bytes; wanted ByteLevel last.", nameof(options));

        List<string> tokens = [.. options.SpecialTokens, .. ByteAlphabet.CharsInOrder.Select(character => character.ToString())];
        string? twice = tokens.GroupBy(token => token).FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null ? tokens : throw new ArgumentException($"SpecialTokens has '{twice}' twice, or it is a single byte's token; wanted different ones.", nameof(options));
    }

    private static Tokenizer Assemble(List<string> tokens, List<BpeMerge> merges, BpeTrainerOptions options)
    {
        Vocabulary vocabulary = new(tokens.Select((token, id) => KeyValuePair.Create(token, id)), "trained tokenizer");
        return new Tokenizer(new TokenizerParts
        {
            AddedTokens = [.. options.SpecialTokens.Select((token, id) => new AddedToken(id, token))],
            PreTokenisers = options.PreTokenisers,
            Model = new BpeModel(vocabulary, merges, new BpeOptions(Prefix: "", Suffix: ""), "trained tokenizer"),
            PostProcessors = [new ByteLevelPostProcessor()],
            Decoders = [new ByteLevelDecoder()],
            Special = options.Roles,
            Source = "trained tokenizer",
        });
    }
}
