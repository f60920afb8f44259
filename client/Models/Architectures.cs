using System.Collections.Frozen;

namespace Federated.Client.Models;

/// <summary>How to read one architecture's configuration and build it.</summary>
/// <param name="ModelType">Hugging Face's <c>model_type</c>.</param>
/// <param name="Classes">The class names it goes by in <c>architectures</c>, each with its task.</param>
/// <param name="Read">Reads and checks the configuration for a task; problems are left in the reader.</param>
/// <param name="Build">Makes the model with uninitialised weights.</param>
public sealed record Architecture(
    string ModelType,
    IReadOnlyDictionary<string, ModelTask> Classes,
    Func<ConfigReader, ModelTask, ModelConfig> Read,
    Func<ModelConfig, PretrainedModel> Build)
{
    /// <summary>The name of the backbone in <c>model.safetensors</c>; a checkpoint saved without a head, as many on the hub are, leaves it out.</summary>
    public required string BackboneName { get; init; }

    /// <summary>The class name in <c>architectures</c> of a checkpoint without a head, which loads only under a new one.</summary>
    public required string BareClass { get; init; }

    /// <summary>
    /// Ends of the names of stored tensors that may have no parameter here: buffers that are computed, copies of tied weights, parts that only
    /// pretraining used. One that has a parameter is read like any other.
    /// </summary>
    public IReadOnlyList<string> Ignorable { get; init; } = [];

    /// <summary>The task of a configuration that names no class, where the architecture has but one.</summary>
    public ModelTask? OnlyTask { get; init; }

    /// <summary>
    /// Names of modules of the backbone that belong to a head: a checkpoint without that head may lack them, and they are new when the head is.
    /// </summary>
    public IReadOnlyList<string> HeadParts { get; init; } = [];

    /// <summary>Names of the heads that may be stored; those of another task stay behind when a new head is asked for.</summary>
    public IReadOnlyList<string> Heads { get; init; } = [];
}

/// <summary>The architectures this program knows: a new one is one file and one line here.</summary>
public static class Architectures
{
    private static readonly FrozenDictionary<string, Architecture> Known = new[]
    {
        Gpt2Backbone.Architecture,
        GptNeoXBackbone.Architecture,
        LlamaBackbone.Architecture,
        MistralConfig.Architecture,
        PhiBackbone.Architecture,
        Qwen2Config.Architecture,
        new(BertConfig.Name, Encoders("Bert"), BertConfig.Read, config => BertBackbone.Build((BertConfig)config))
        {
            BackboneName = "bert",
            BareClass = "BertModel",
            HeadParts = ["bert.pooler"],
            Heads = ["cls", "classifier", "bert.pooler", "pooler"],
            Ignorable = [".position_ids", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias", ".seq_relationship.weight", ".seq_relationship.bias", "pooler.dense.weight", "pooler.dense.bias"],
        },
        new(Roberta.Name, Encoders("Roberta"), BertConfig.ReadRoberta, config => Roberta.Build((BertConfig)config))
        {
            BackboneName = "roberta",
            BareClass = "RobertaModel",
            Heads = ["lm_head", "classifier"],
            Ignorable = [".position_ids", "lm_head.decoder.weight", "lm_head.decoder.bias", "pooler.dense.weight", "pooler.dense.bias"],
        },
        new(DistilBertConfig.Name, Encoders("DistilBert"), DistilBertConfig.Read, config => DistilBertBackbone.Build((DistilBertConfig)config))
        {
            BackboneName = "distilbert",
            BareClass = "DistilBertModel",
            Heads = ["vocab_transform", "vocab_layer_norm", "vocab_projector", "pre_classifier", "classifier"],
            Ignorable = ["vocab_projector.weight"],
        },
        new(VitConfig.Name, Images("ViTForImageClassification"), (reader, _) => VitConfig.Read(reader), config => VitBackbone.Build((VitConfig)config))
        {
            BackboneName = "vit",
            BareClass = "ViTModel",
            Heads = ["classifier"],
            Ignorable = ["pooler.dense.weight", "pooler.dense.bias"],
        },
        new(MixerConfig.Name, Images("MlpMixer"), (reader, _) => MixerConfig.Read(reader), config => MixerBackbone.Build((MixerConfig)config))
        {
            BackboneName = "",
            BareClass = "MlpMixer",
            OnlyTask = ModelTask.ImageClassification,
            Heads = ["head"],
        },
    }.ToFrozenDictionary(architecture => architecture.ModelType, StringComparer.Ordinal);

    /// <summary>The known names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The architecture a configuration is for.</summary>
    /// <exception cref="CheckpointException"><c>model_type</c> is missing or unknown.</exception>
    public static Architecture Of(ConfigReader reader)
    {
        // timm's configurations have no model_type but the name of a variant.
        string? name = reader.Text("model_type") ?? (reader.Text("architecture") is { } variant && MixerConfig.IsVariant(variant) ? MixerConfig.Name : null);
        return name is not null && Known.TryGetValue(name, out Architecture? architecture)
            ? architecture
            : throw new CheckpointException($"{reader.Source}: model_type is {(name is null ? "missing" : $"'{name}'")}; known architectures: {string.Join(", ", Names)}.");
    }

    /// <summary>The architecture that made a configuration.</summary>
    internal static Architecture Of(ModelConfig config) => Known[config.ModelType];

    private static Dictionary<string, ModelTask> Images(string name) => new(StringComparer.Ordinal) { [name] = ModelTask.ImageClassification };

    private static Dictionary<string, ModelTask> Encoders(string name) => new(StringComparer.Ordinal)
    {
        [name + "ForSequenceClassification"] = ModelTask.SequenceClassification,
        [name + "ForMaskedLM"] = ModelTask.MaskedLanguageModel,
    };
}
