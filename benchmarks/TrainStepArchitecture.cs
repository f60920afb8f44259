using Federated.Client.Models;

namespace Federated.Benchmarks;

/// <summary>A small model of one architecture, and the layers that get adapters: about the same work for each.</summary>
/// <param name="Name">The name on the command line; the peer knows it too.</param>
/// <param name="Model">What the model is.</param>
/// <param name="Targets">Ends of the names of the layers with adapters.</param>
internal sealed record TrainStepArchitecture(string Name, ModelConfig Model, params string[] Targets)
{
    private const int Vocabulary = 8192, Hidden = 256, Layers = 4, Heads = 4, Inner = 1024, Labels = 16;

    internal const int Longest = 128;

    private static readonly ImageSize Image = new(Channels: 3, Height: 64, Width: 64, PatchHeight: 8, PatchWidth: 8);
    private static readonly string[] Classes = [.. Enumerable.Range(0, Labels).Select(label => $"LABEL_{label}")];

    internal static IReadOnlyList<TrainStepArchitecture> All { get; } =
    [
        new("llama", Llama(new()
        {
            Task = ModelTask.CausalLanguageModel, VocabularySize = Vocabulary, HiddenSize = Hidden, MaxPositions = Longest, Layers = Layers, Heads = Heads, KeyValueHeads = 2,
            HeadSize = Hidden / Heads, IntermediateSize = 688,
        }), "q_proj", "v_proj"),
        new("mistral", Llama(new MistralConfig
        {
            Task = ModelTask.CausalLanguageModel, VocabularySize = Vocabulary, HiddenSize = Hidden, MaxPositions = Longest, Layers = Layers, Heads = Heads, KeyValueHeads = 2,
            HeadSize = Hidden / Heads, IntermediateSize = 688, SlidingWindow = Longest / 4,
        }), "q_proj", "v_proj"),
        new("qwen2", Llama(new Qwen2Config
        {
            Task = ModelTask.CausalLanguageModel, VocabularySize = Vocabulary, HiddenSize = Hidden, MaxPositions = Longest, Layers = Layers, Heads = Heads, KeyValueHeads = 2,
            HeadSize = Hidden / Heads, IntermediateSize = 688,
        }), "q_proj", "v_proj"),
        new("gpt2", new Gpt2Config
        {
            Task = ModelTask.CausalLanguageModel, VocabularySize = Vocabulary, HiddenSize = Hidden, MaxPositions = Longest, Layers = Layers, Heads = Heads, IntermediateSize = Inner,
        }, "c_attn"),
        new("gptneox", new GptNeoXConfig
        {
            Task = ModelTask.CausalLanguageModel, VocabularySize = Vocabulary, HiddenSize = Hidden, MaxPositions = Longest, Layers = Layers, Heads = Heads, IntermediateSize = Inner,
        }, "query_key_value"),
        new("phi", new PhiConfig
        {
            Task = ModelTask.CausalLanguageModel, VocabularySize = Vocabulary, HiddenSize = Hidden, MaxPositions = Longest, Layers = Layers, Heads = Heads, KeyValueHeads = Heads,
            IntermediateSize = Inner,
        }, "q_proj", "v_proj"),
        new("bert", new BertConfig
        {
            Task = ModelTask.SequenceClassification, VocabularySize = Vocabulary, HiddenSize = Hidden, MaxPositions = Longest, PadTokenId = 0, Layers = Layers, Heads = Heads,
            IntermediateSize = Inner, TokenTypes = 2, Activation = Activation.Of("gelu"), Labels = Classes,
        }, "query", "value"),
        new("vit", new VitConfig
        {
            Task = ModelTask.ImageClassification, HiddenSize = Hidden, Image = Image, Layers = Layers, Heads = Heads, IntermediateSize = Inner, Activation = Activation.Of("gelu"),
            Labels = Classes,
        }, "query", "value"),
        new("mixer", new MixerConfig
        {
            Task = ModelTask.ImageClassification, Variant = "mixer_s16_224", HiddenSize = Hidden, Image = Image, Layers = Layers, TokenRatio = 0.5, ChannelRatio = 4, Labels = Classes,
        }, "fc1"),
    ];

    /// <summary>The images that the model reads; null for one that reads text.</summary>
    internal ImageSize? Images => (Model as VitConfig)?.Image ?? (Model as MixerConfig)?.Image;

    /// <summary>The shapes of batches to measure: rows of unequal length, as text has them, and rows of one length; images have one size.</summary>
    internal IReadOnlyList<string> Cases => Images is null ? ["ragged", "dense"] : ["images"];

    internal static TrainStepArchitecture Of(string name) => All.Single(architecture => architecture.Name == name);

    // What the architectures with Llama's blocks share beside their sizes.
    private static LlamaConfig Llama(LlamaConfig config) => config with { NormEpsilon = 1e-5, Labels = [] };
}
