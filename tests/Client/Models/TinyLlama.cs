using Federated.Client.Models;

namespace Federated.Client.Tests.Models;

/// <summary>A decoder small enough for finite differences, with every feature on that changes shapes.</summary>
internal static class TinyLlama
{
    internal const int Vocabulary = 37;

    internal static LlamaConfig Config(ModelTask task = ModelTask.CausalLanguageModel, bool tied = false, int labels = 2) => new()
    {
        Task = task,
        VocabularySize = Vocabulary,
        HiddenSize = 24,
        MaxPositions = 64,
        PadTokenId = 0,
        Labels = [.. Enumerable.Range(0, labels).Select(i => $"LABEL_{i}")],
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 6,
        IntermediateSize = 40,
        NormEpsilon = 1e-5,
        AttentionBias = true,
        TieWordEmbeddings = tied,
        InitializerRange = 0.2,
    };

    /// <summary>Seeded sequences without the padding id, lengths from 1 to <paramref name="longest"/>.</summary>
    internal static IReadOnlyList<ReadOnlyMemory<int>> Sequences(int seed, int count, int longest, int shortest = 1)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (ReadOnlyMemory<int>)Enumerable.Range(0, random.Next(shortest, longest + 1)).Select(_ => random.Next(1, Vocabulary)).ToArray())];
    }
}
