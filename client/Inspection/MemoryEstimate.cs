using Federated.Client.Models;

namespace Federated.Client.Inspection;

/// <summary>What the estimate is for.</summary>
/// <param name="Rank">Rank of LoRA factors on every linear layer below the head.</param>
/// <param name="BatchSize">Rows of a batch.</param>
/// <param name="MaxTokens">Tokens of a row; null for 256, or what the model takes if that is less. Images have as many as they have patches.</param>
public sealed record MemoryOptions(int Rank = 8, int BatchSize = 8, int? MaxTokens = null);

/// <summary>Bytes that using a model and training an adapter on it take. All numbers are float32, whatever the file stores.</summary>
/// <remarks>
/// Weights, cache, factors and optimiser are exact. Activations are 4 bytes times the positions of a batch times the widths of what goes into and
/// comes out of every linear layer below the head: backpropagation keeps a little less of those, and the norms' and residuals' states beside them.
/// </remarks>
public sealed record MemoryEstimate
{
    private const int UsualTokens = 256, Number = sizeof(float);

    // Runtime, libtorch and its buffers, as measured on an empty process.
    private const long ProgramBytes = 190L << 20;

    /// <summary>Tokens of a row, or patches of an image.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Rows of a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Rank of the factors.</summary>
    public required int Rank { get; init; }

    /// <summary>The program itself.</summary>
    public long Program { get; init; } = ProgramBytes;

    /// <summary>The parameters.</summary>
    public required long Weights { get; init; }

    /// <summary>Keys and values of one text of <see cref="MaxTokens"/> tokens; 0 for encoders.</summary>
    public required long KeyValueCache { get; init; }

    /// <summary>Numbers that LoRA trains.</summary>
    public required long LoraParameters { get; init; }

    /// <summary>The factors, their gradients and both moments of AdamW.</summary>
    public long LoraState => 4 * Number * LoraParameters;

    /// <summary>What a training step on a batch keeps for its way back.</summary>
    public required long Activations { get; init; }

    /// <summary>Inference on one text.</summary>
    public long Inference => Program + Weights + KeyValueCache;

    /// <summary>A training step of LoRA.</summary>
    public long LoraTraining => Program + Weights + LoraState + Activations;

    /// <summary>The estimate for a model, of which nothing is read but shapes.</summary>
    internal static MemoryEstimate Of(PretrainedModel model, MemoryOptions options)
    {
        TextModelConfig? text = model.Config as TextModelConfig;
        Projection[] layers = [.. model.Projections.Where(layer => !IsHead(model, layer.Key)).Select(layer => layer.Value)];
        int tokens = text is null ? Patches(model.Config) : options.MaxTokens ?? Math.Min(UsualTokens, text.MaxPositions);
        (int Layers, int Heads, int Width) cache = text?.KeyValueShape ?? default;
        return new()
        {
            MaxTokens = tokens,
            BatchSize = options.BatchSize,
            Rank = options.Rank,
            Weights = Number * model.ParameterCount,
            KeyValueCache = 2L * Number * cache.Layers * cache.Heads * cache.Width * tokens,
            LoraParameters = layers.Sum(layer => options.Rank * (layer.Inputs + layer.Outputs)),
            Activations = (long)Number * options.BatchSize * tokens * layers.Sum(layer => layer.Inputs + layer.Outputs),
        };
    }

    private static bool IsHead(PretrainedModel model, string layer) =>
        model.Head.Modules.Any(head => layer == head.Name || layer.StartsWith(head.Name + ".", StringComparison.Ordinal));

    private static int Patches(ModelConfig config) => config switch
    {
        VitConfig vit => vit.Image.Patches + 1,
        MixerConfig mixer => mixer.Image.Patches,
        _ => throw new ArgumentException($"A {config.ClassName} reads neither text nor images.", nameof(config)),
    };
}
