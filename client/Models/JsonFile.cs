using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>Reads the JSON files of a model folder: bounded, one object, no name twice in one object, all text well-formed.</summary>
internal static class JsonFile
{
    /// <summary>Hands the root object of a file to <paramref name="use"/>.</summary>
    /// <exception cref="CheckpointException">The file is larger than <paramref name="largest"/> bytes, or not such JSON.</exception>
    internal static T Read<T>(string path, int largest, Func<JsonElement, T> use)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        if (stream.Length > largest)
            throw new CheckpointException($"{path}: {stream.Length} bytes are too many (at most {largest}).");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Parse(path, bytes, use);
    }

    /// <summary>Hands the root object of <paramref name="json"/> to <paramref name="use"/>; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="CheckpointException">It is not such JSON.</exception>
    internal static T Parse<T>(string source, ReadOnlyMemory<byte> json, Func<JsonElement, T> use)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new CheckpointException($"{source}: the root is {document.RootElement.ValueKind}, not an object.");
            RequireText(json.Span);
            return use(document.RootElement);
        }
        catch (JsonException error)
        {
            throw new CheckpointException($"{source}: not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine}: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new CheckpointException($"{source}: a string is not valid UTF-8 or holds half of a surrogate pair; save the file as UTF-8.", error);
        }
    }

    // The parser looks at the text of names and strings only when asked for it, which would be too late to say what is wrong.
    private static void RequireText(ReadOnlySpan<byte> json)
    {
        Utf8JsonReader reader = new(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String)
                _ = reader.GetString();
        }
    }
}
