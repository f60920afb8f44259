using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>What the <c>config.json</c> of every text model says.</summary>
public abstract record TextModelConfig : ModelConfig
{
    /// <summary>Number of token ids; ids run from 0 to this number minus 1.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence the model was made for, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Id of the padding token, if the vocabulary has one.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Id that starts a text, if the vocabulary has one.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Id that ends a text, if the vocabulary has one.</summary>
    public int? EosTokenId { get; init; }

    /// <summary>Writes the architecture's own keys into <c>config.json</c>'s open object.</summary>
    protected abstract void WriteText(Utf8JsonWriter writer);

    /// <inheritdoc/>
    protected sealed override void WriteOwn(Utf8JsonWriter writer)
    {
        writer.WriteNumber("vocab_size", VocabularySize);
        WriteOptional(writer, "pad_token_id", PadTokenId);
        WriteOptional(writer, "bos_token_id", BosTokenId);
        WriteOptional(writer, "eos_token_id", EosTokenId);
        WriteText(writer);
    }

    private static void WriteOptional(Utf8JsonWriter writer, string key, int? value)
    {
        if (value is { } number)
            writer.WriteNumber(key, number);
        else
            writer.WriteNull(key);
    }
}
