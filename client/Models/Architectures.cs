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

    /// <summary>Names of the heads that may be stored; those of another task stay behind when a new head is asked for.</summary>
    public IReadOnlyList<string> Heads { get; init; } = [];
}

/// <summary>The architectures this program knows: a new one is one file and one line here.</summary>
public static class Architectures
{
    private static readonly FrozenDictionary<string, Architecture> Known = new Architecture[]
    {
        new(LlamaConfig.Name, Tasks("LlamaForCausalLM", "LlamaForSequenceClassification"), LlamaConfig.Read, config => LlamaBackbone.Build((LlamaConfig)config))
        {
            BackboneName = "model",
            BareClass = "LlamaModel",
            Ignorable = [".rotary_emb.inv_freq", "lm_head.weight"],
            Heads = ["lm_head", "score"],
        },
    }.ToFrozenDictionary(architecture => architecture.ModelType, StringComparer.Ordinal);

    /// <summary>The known names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The architecture a configuration is for.</summary>
    /// <exception cref="CheckpointException"><c>model_type</c> is missing or unknown.</exception>
    public static Architecture Of(ConfigReader reader)
    {
        string? name = reader.Text("model_type");
        return name is not null && Known.TryGetValue(name, out Architecture? architecture)
            ? architecture
            : throw new CheckpointException($"{reader.Source}: model_type is {(name is null ? "missing" : $"'{name}'")}; known architectures: {string.Join(", ", Names)}.");
    }

    /// <summary>The architecture that made a configuration.</summary>
    internal static Architecture Of(ModelConfig config) => Known[config.ModelType];

    private static Dictionary<string, ModelTask> Tasks(string causal, string classification) =>
        new(StringComparer.Ordinal) { [causal] = ModelTask.CausalLanguageModel, [classification] = ModelTask.SequenceClassification };
}
