using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>Mistral: Llama's blocks without biases, of which every query sees only the last few keys (Jiang et al. 2023, arXiv:2310.06825).</summary>
public sealed record MistralConfig : LlamaConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public new const string Name = "mistral";

    private const string WindowKey = "sliding_window";

    /// <summary>A configuration made by hand.</summary>
    public MistralConfig()
    {
    }

    [SetsRequiredMembers]
    private MistralConfig(ConfigReader reader, ModelTask task) : base(reader, task, maxPositions: 4096 * 32, keyValueHeads: 8) =>
        SlidingWindow = reader.OptionalWholeNumber(WindowKey, 1, ConfigBounds.LongestContext) ?? (reader.IsNull(WindowKey) ? null : 4096);

    /// <summary>How to read and build it.</summary>
    internal static Architecture Architecture { get; } = LlamaBackbone.Family(Name, "Mistral", static (reader, task) => new MistralConfig(reader, task));

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    protected override string ClassPrefix => "Mistral";

    /// <summary>How many keys a query sees, itself among them; null for all before it.</summary>
    public int? SlidingWindow { get; init; }

    /// <inheritdoc/>
    public override int? Window(int layer) => SlidingWindow;

    /// <inheritdoc/>
    protected override void WriteFamily(Utf8JsonWriter writer)
    {
        if (SlidingWindow is { } window)
            writer.WriteNumber(WindowKey, window);
        else
            writer.WriteNull(WindowKey);
    }
}
