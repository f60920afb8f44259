using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>What the <c>config.json</c> of every text model says.</summary>
public abstract record TextModelConfig : ModelConfig
{
    /// <summary>A configuration made by hand.</summary>
    protected TextModelConfig()
    {
    }

    /// <summary>Reads what all text models have; problems are left in <paramref name="reader"/>.</summary>
    /// <param name="reader">Reads <c>config.json</c>.</param>
    /// <param name="task">The head.</param>
    /// <param name="maxPositions">Longest sequence where the file does not say, as the architecture's configuration class has it.</param>
    /// <param name="hiddenKey">The architecture's key for the width of the hidden states.</param>
    /// <param name="positionsKey">The architecture's key for the longest sequence.</param>
    [SetsRequiredMembers]
    protected TextModelConfig(ConfigReader reader, ModelTask task, int maxPositions, string hiddenKey = "hidden_size", string positionsKey = "max_position_embeddings")
    {
        Task = task;
        VocabularySize = reader.WholeNumber("vocab_size", 1, ConfigBounds.LargestVocabulary);
        HiddenSize = reader.WholeNumber(hiddenKey, 1, ConfigBounds.WidestLayer);
        MaxPositions = reader.WholeNumber(positionsKey, 1, ConfigBounds.LongestContext, maxPositions);
        InitializerRange = reader.Number("initializer_range", 0, 10, 0.02);
        PadTokenId = reader.OptionalWholeNumber("pad_token_id", 0, VocabularySize - 1);
        BosTokenId = reader.OptionalWholeNumber("bos_token_id", 0, VocabularySize - 1);
        EosTokenIds = reader.WholeNumbers("eos_token_id", 0, VocabularySize - 1);
        Labels = reader.NumberedTexts("id2label") ?? Labels;
        if (IsClassifier && Labels.Count < 1)
            reader.Reject("id2label", "a classification head needs at least one label");
    }

    /// <summary>Number of token ids; ids run from 0 to this number minus 1.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence the model was made for, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Id of the padding token, if the vocabulary has one.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Id that starts a text, if the vocabulary has one.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Ids of which any ends a text, the usual one first.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>The first of <see cref="EosTokenIds"/>, if the vocabulary has one.</summary>
    public int? EosTokenId
    {
        get => EosTokenIds.Count > 0 ? EosTokenIds[0] : null;
        init => EosTokenIds = value is { } id ? [id] : [];
    }

    /// <summary>Of a decoder: layers, heads of keys and values, and width of each; null for an encoder.</summary>
    public virtual (int Layers, int Heads, int Width)? KeyValueShape => null;

    /// <summary>Writes the architecture's own keys into <c>config.json</c>'s open object.</summary>
    protected abstract void WriteText(Utf8JsonWriter writer);

    /// <inheritdoc/>
    protected sealed override void WriteOwn(Utf8JsonWriter writer)
    {
        writer.WriteNumber("vocab_size", VocabularySize);
        WriteOptional(writer, "pad_token_id", PadTokenId);
        WriteOptional(writer, "bos_token_id", BosTokenId);
        if (EosTokenIds.Count <= 1)
            WriteOptional(writer, "eos_token_id", EosTokenId);
        else
            WriteNumbers(writer, "eos_token_id", EosTokenIds);
        WriteText(writer);
    }

    private static void WriteOptional(Utf8JsonWriter writer, string key, int? value)
    {
        if (value is { } number)
            writer.WriteNumber(key, number);
        else
            writer.WriteNull(key);
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string key, IReadOnlyList<int> numbers)
    {
        writer.WriteStartArray(key);
        foreach (int number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}
