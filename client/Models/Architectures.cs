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
    /// <summary>The name of the backbone in <c>model.safetensors</c>; a checkpoint saved without a head may leave it out.</summary>
    public required string BackboneName { get; init; }

    /// <summary>Ends of the names of stored tensors that are no parameters: buffers of older versions, which are computed here.</summary>
    public IReadOnlyList<string> Buffers { get; init; } = [];

    /// <summary>Names of stored heads that may stay behind: tied ones beside the table they equal, and those of another task when a new head is asked for.</summary>
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
            Buffers = [".rotary_emb.inv_freq"],
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
