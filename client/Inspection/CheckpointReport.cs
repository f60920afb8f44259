using System.Text.Json.Serialization;

namespace Federated.Client.Inspection;

/// <summary>What <c>client inspect</c> says about a model folder.</summary>
public sealed record CheckpointReport
{
    /// <summary>Hugging Face's <c>model_type</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Its class name.</summary>
    public required string Class { get; init; }

    /// <summary>What its head does; null for a checkpoint without a head.</summary>
    public string? Task { get; init; }

    /// <summary>Numbers in its parameters; a tied head counts once.</summary>
    public required long Parameters { get; init; }

    /// <summary>The same by part: embeddings, attention, feed-forward, norms, head. Parts without numbers are left out.</summary>
    public required IReadOnlyDictionary<string, long> Parts { get; init; }

    /// <summary>Bytes of the stored parameters by element type.</summary>
    public required IReadOnlyDictionary<string, long> StoredBytes { get; init; }

    /// <summary>The tensor files and their lengths.</summary>
    public required IReadOnlyDictionary<string, long> Files { get; init; }

    /// <summary>Stored tensors that are no parameters: buffers, copies of tied weights.</summary>
    public required IReadOnlyList<string> Ignored { get; init; }

    /// <summary>Longest text in tokens; null for images.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Rows of the token table; null for images.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Class names of a classifier; null for others.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>The tokenizer; null if the folder has none.</summary>
    public TokenizerReport? Tokenizer { get; init; }

    /// <summary>Whether the folder has a chat template.</summary>
    public bool ChatTemplate { get; init; }

    /// <summary>What using and training it takes.</summary>
    public required MemoryEstimate Memory { get; init; }
}

/// <summary>A folder's tokenizer.</summary>
/// <param name="Kind">The model inside: Bpe, WordPiece, Unigram; null when it cannot be read.</param>
/// <param name="VocabularySize">Highest id in use plus one; null when it cannot be read.</param>
/// <param name="Problem">Why it cannot be read; null when it can.</param>
public sealed record TokenizerReport(string? Kind, int? VocabularySize, string? Problem);

/// <summary>What <c>client inspect</c> says about an adapter folder.</summary>
public sealed record AdapterReport
{
    /// <summary>PEFT's name for the kind.</summary>
    public required string PeftType { get; init; }

    /// <summary>PEFT's word for the task; null if not said.</summary>
    public string? TaskType { get; init; }

    /// <summary>Where its base model came from; null if not said.</summary>
    public string? BaseModel { get; init; }

    /// <summary>The modules it names: ends of names, or one regular expression.</summary>
    public required IReadOnlyList<string> TargetModules { get; init; }

    /// <summary>Modules that are saved whole beside it.</summary>
    public required IReadOnlyList<string> ModulesToSave { get; init; }

    /// <summary>Ranks that occur, rising; empty for kinds without.</summary>
    public required IReadOnlyList<long> Ranks { get; init; }

    /// <summary>Number of modules of the base model that it has tensors for.</summary>
    public required int Modules { get; init; }

    /// <summary>Numbers in its file.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of its tensors by element type.</summary>
    public required IReadOnlyDictionary<string, long> StoredBytes { get; init; }

    /// <summary>Numbers in its file over those of the base model; null without one.</summary>
    public double? ShareOfModel { get; init; }
}

/// <summary>JSON for machines: snake case, generated at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckpointReport))]
[JsonSerializable(typeof(AdapterReport))]
public sealed partial class InspectionJson : JsonSerializerContext;
