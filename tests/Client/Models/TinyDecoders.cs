using Federated.Client.Models;

namespace Federated.Client.Tests.Models;

/// <summary>Every decoder architecture, small, in variants that between them have every option on that changes shapes or numbers.</summary>
internal static class TinyDecoders
{
    private const int Hidden = 24, Layers = 2;

    private static readonly Dictionary<string, Func<ModelTask, TextModelConfig>> Known = new()
    {
        ["llama"] = task => TinyLlama.Config(task),
        ["llama, tied, GELU, biases in the feed-forward layer, half of each head rotated, yarn"] = task => TinyLlama.Config(task, tied: true) with
        {
            Activation = Activation.Of("gelu"), FeedForwardBias = true, HeadSize = 8, Rotary = new() { Share = 0.5, Scaling = new YarnRotary(4, 1.3, 32, 1, 16, true) },
        },
        ["llama, llama3 scaling"] = task => TinyLlama.Config(task) with { Rotary = new() { Theta = 500, Scaling = new Llama3Rotary(4, 1, 3, 32) } },
        ["mistral, window of 3"] = task => Mistral(task) with { SlidingWindow = 3 },
        ["mistral, no window"] = task => Mistral(task),
        ["qwen2"] = task => Qwen2(task),
        ["qwen2, window of 2 in the upper layer"] = task => Qwen2(task) with { SlidingWindow = 2, FirstSlidingLayer = 1 },
        ["gpt2"] = task => Gpt2(task),
        ["gpt2, separate head, narrow, scores scaled by layer and not by width"] = task => Gpt2(task) with
        {
            TieWordEmbeddings = false, IntermediateSize = 20, Activation = Activation.Of("relu"), ScaleByLayer = true, ScaleByWidth = false, UpcastAttention = true,
        },
        ["gptneox"] = task => GptNeoX(task),
        ["gptneox, one half after the other, tied, no biases in attention, all of each head rotated"] = task => GptNeoX(task) with
        {
            ParallelResidual = false, TieWordEmbeddings = true, AttentionBias = false, Rotary = new() { Scaling = new LinearRotary(3) },
        },
        ["phi"] = task => Phi(task),
        ["phi, heads normed, two query heads a key head, tied"] = task => Phi(task) with { NormsHeads = true, KeyValueHeads = 2, TieWordEmbeddings = true },
    };

    internal static IEnumerable<string> Names => Known.Keys;

    /// <summary>Every decoder with each of <paramref name="values"/>.</summary>
    internal static TheoryData<string, T> With<T>(params T[] values)
    {
        TheoryData<string, T> data = [];
        foreach (string name in Names)
        {
            foreach (T value in values)
                data.Add(name, value);
        }

        return data;
    }

    internal static TextModelConfig Config(string name, ModelTask task = ModelTask.CausalLanguageModel) => Known[name](task);

    private static MistralConfig Mistral(ModelTask task) => new()
    {
        Task = task, VocabularySize = TinyLlama.Vocabulary, HiddenSize = Hidden, MaxPositions = 64, PadTokenId = 0, Layers = Layers, Heads = 4, KeyValueHeads = 1,
        HeadSize = 4, IntermediateSize = 40, NormEpsilon = 1e-4, InitializerRange = 0.2,
    };

    private static Qwen2Config Qwen2(ModelTask task) => new()
    {
        Task = task, VocabularySize = TinyLlama.Vocabulary, HiddenSize = Hidden, MaxPositions = 64, PadTokenId = 0, EosTokenIds = [1, 2], Layers = Layers, Heads = 4,
        KeyValueHeads = 2, HeadSize = 6, IntermediateSize = 40, InitializerRange = 0.2,
    };

    private static Gpt2Config Gpt2(ModelTask task) => new()
    {
        Task = task, VocabularySize = TinyLlama.Vocabulary, HiddenSize = Hidden, MaxPositions = 120, PadTokenId = 0, Layers = Layers, Heads = 3, IntermediateSize = 4 * Hidden,
        NormEpsilon = 1e-4, InitializerRange = 0.2,
    };

    private static GptNeoXConfig GptNeoX(ModelTask task) => new()
    {
        Task = task, VocabularySize = TinyLlama.Vocabulary, HiddenSize = Hidden, MaxPositions = 64, PadTokenId = 0, Layers = Layers, Heads = 3, IntermediateSize = 40,
        NormEpsilon = 1e-4, InitializerRange = 0.2,
    };

    private static PhiConfig Phi(ModelTask task) => new()
    {
        Task = task, VocabularySize = TinyLlama.Vocabulary, HiddenSize = Hidden, MaxPositions = 64, PadTokenId = 0, Layers = Layers, Heads = 4, KeyValueHeads = 4,
        IntermediateSize = 40, NormEpsilon = 1e-4, InitializerRange = 0.2, Rotary = new() { Share = 0.4 },
    };
}
