using System.Text;
using System.Text.Json;

namespace Federated.Client.Data;

/// <summary>Reads one JSON object a line. Empty lines are passed over.</summary>
internal static class JsonLines
{
    public static IEnumerable<LabelledText> Read(Stream stream, string file, TextFileOptions options)
    {
        LineReader lines = new(stream, file, options.MaxLineLength);
        while (lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            if (!line.Span.Trim(" \t"u8).IsEmpty)
                yield return Parse(line.Span, file, lines.Line, options);
        }
    }

    private static LabelledText Parse(ReadOnlySpan<byte> json, string file, int line, TextFileOptions options)
    {
        try
        {
            return ParseObject(json, file, line, options);
        }
        catch (JsonException wrong)
        {
            // The reader's own message quotes the data, so only the place is told.
            throw new DataFormatException(file, line, $"byte {wrong.BytePositionInLine + 1} of {json.Length} is where the line stops being JSON; wanted one object on one line.");
        }
        catch (InvalidOperationException)
        {
            throw new DataFormatException(file, line, "a string is not valid UTF-8, or has half of a surrogate pair; wanted UTF-8.");
        }
    }

    private static LabelledText ParseObject(ReadOnlySpan<byte> json, string file, int line, TextFileOptions options)
    {
        Utf8JsonReader reader = new(json);
        string? text = null, label = null;
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new DataFormatException(file, line, $"got {Kind(reader.TokenType)}; wanted an object with the field '{options.TextColumn}'.");

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == options.TextColumn)
                text = Once(text, name, file, line) ?? TextOf(ref reader, name, file, line);
            else if (name == options.LabelColumn)
                label = Once(label, name, file, line) ?? LabelOf(ref reader, name, file, line);
            else if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                reader.Skip();
            else if (reader.TokenType != JsonTokenType.Null)
                metadata[name] = Scalar(ref reader);
        }

        // Anything after the object makes this last read fail.
        reader.Read();
        return new(
            text ?? throw Missing(options.TextColumn, "--text-column", file, line),
            label is null && options.LabelColumn is { } wanted ? throw Missing(wanted, "--label-column", file, line) : label,
            file, line, metadata);
    }

    private static string? Once(string? before, string name, string file, int line) =>
        before is null ? null : throw new DataFormatException(file, line, $"the field '{name}' occurs twice; wanted once.");

    private static string TextOf(ref Utf8JsonReader reader, string name, string file, int line) => reader.TokenType == JsonTokenType.String
        ? reader.GetString()!
        : throw new DataFormatException(file, line, $"the field '{name}' is {Kind(reader.TokenType)}; wanted a string.");

    private static string LabelOf(ref Utf8JsonReader reader, string name, string file, int line) =>
        reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False
            ? Scalar(ref reader)
            : throw new DataFormatException(file, line, $"the field '{name}' is {Kind(reader.TokenType)}; wanted a string, a number, true or false.");

    private static string Scalar(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan);

    private static DataFormatException Missing(string field, string option, string file, int line) =>
        new(file, line, $"the field '{field}' is missing; wanted it on every line. If yours has another name, say so with {option}.");

    private static string Kind(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };
}
