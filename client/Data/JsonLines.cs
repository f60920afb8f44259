using System.Text;
using System.Text.Json;

namespace Federated.Client.Data;

/// <summary>Reads one JSON object a line. Empty lines are passed over.</summary>
internal static class JsonLines
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static IEnumerable<DataRecord> Read(Stream stream, string file, FieldLayout? layout, TextFileOptions options)
    {
        LineReader lines = new(stream, file, options.MaxLineLength);
        while (lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            if (line.Span.Trim(" \t"u8).IsEmpty)
                continue;

            Dictionary<string, DataValue> fields = Parse(line.Span, file, lines.Line);
            layout?.Require(fields, file, lines.Line);
            yield return new(file, lines.Line, fields);
        }
    }

    private static Dictionary<string, DataValue> Parse(ReadOnlySpan<byte> json, string file, int line)
    {
        try
        {
            return ParseObject(json, file, line);
        }
        catch (JsonException wrong)
        {
            // The reader's own message quotes the data, so only the place is told.
            throw new DataFormatException(file, line, $"byte {wrong.BytePositionInLine + 1} of {json.Length} is where the line stops being JSON; wanted one object on one line.");
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or DecoderFallbackException)
        {
            throw new DataFormatException(file, line, "a string is not valid UTF-8, or has half of a surrogate pair; wanted UTF-8.");
        }
    }

    private static Dictionary<string, DataValue> ParseObject(ReadOnlySpan<byte> json, string file, int line)
    {
        Utf8JsonReader reader = new(json);
        Dictionary<string, DataValue> fields = new(StringComparer.Ordinal);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new DataFormatException(file, line, $"got {Kind(reader.TokenType)}; wanted an object with fields.");

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (Value(ref reader, json) is { } value && !fields.TryAdd(name, value))
                throw new DataFormatException(file, line, $"the field '{FieldLayout.Shown(name)}' occurs twice; wanted once.");
        }

        // Anything after the object makes this last read fail.
        reader.Read();
        return fields;
    }

    private static DataValue? Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        DataKind kind = reader.TokenType switch
        {
            JsonTokenType.String => DataKind.Text,
            JsonTokenType.Number => DataKind.Number,
            JsonTokenType.StartArray => DataKind.Sequence,
            JsonTokenType.StartObject => DataKind.Mapping,
            _ => DataKind.Boolean,
        };
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (kind == DataKind.Text)
            return new(kind, reader.GetString()!);

        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new(kind, StrictUtf8.GetString(json[start..(int)reader.BytesConsumed]));
    }

    private static string Kind(JsonTokenType token) => token switch
    {
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };
}
