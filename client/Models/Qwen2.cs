using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>Qwen2: Llama's blocks with biases on queries, keys and values, and a window in the upper layers if asked for (Yang et al. 2024, arXiv:2407.10671).</summary>
public sealed record Qwen2Config : LlamaConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public new const string Name = "qwen2";

    private const string Sliding = "sliding_attention", Full = "full_attention";

    /// <summary>A configuration made by hand.</summary>
    public Qwen2Config() => AttentionBias = true;

    [SetsRequiredMembers]
    private Qwen2Config(ConfigReader reader, ModelTask task) : base(reader, task, maxPositions: 32768, keyValueHeads: 32)
    {
        AttentionBias = true;
        if (reader.Flag("use_sliding_window", false))
            SlidingWindow = reader.OptionalWholeNumber("sliding_window", 1, ConfigBounds.LongestContext) ?? (reader.IsNull("sliding_window") ? null : 4096);
        FirstSlidingLayer = reader.WholeNumber("max_window_layers", 0, int.MaxValue, 28);
        IReadOnlyList<string> types = reader.Texts("layer_types");
        if (types.Count > 0 && !types.SequenceEqual(LayerTypes()))
        {
            reader.Reject(
                "layer_types", $"expected '{Full}' below layer {FirstSlidingLayer} (max_window_layers) and '{(SlidingWindow is null ? Full : Sliding)}' from there on, one for each of {Layers} layers; another order is not supported");
        }
    }

    /// <summary>How to read and build it.</summary>
    internal static Architecture Architecture { get; } = LlamaBackbone.Family(Name, "Qwen2", static (reader, task) => new Qwen2Config(reader, task));

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    protected override string ClassPrefix => "Qwen2";

    /// <inheritdoc/>
    public override bool AttentionOutputBias => false;

    /// <summary>How many keys a query sees in the layers that have a window, itself among them; null for no window.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>The first layer that has the window.</summary>
    public int FirstSlidingLayer { get; init; }

    /// <inheritdoc/>
    public override int? Window(int layer) => layer >= FirstSlidingLayer ? SlidingWindow : null;

    /// <inheritdoc/>
    protected override void WriteFamily(Utf8JsonWriter writer)
    {
        writer.WriteBoolean("use_sliding_window", SlidingWindow is not null);
        if (SlidingWindow is { } window)
            writer.WriteNumber("sliding_window", window);
        writer.WriteNumber("max_window_layers", FirstSlidingLayer);
    }

    private IEnumerable<string> LayerTypes() => Enumerable.Range(0, Layers).Select(layer => Window(layer) is null ? Full : Sliding);
}
