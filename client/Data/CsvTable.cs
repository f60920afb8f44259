using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace Federated.Client.Data;

/// <summary>Reads CSV (RFC 4180: commas, quotes doubled inside quotes) with a header line.</summary>
internal static class CsvTable
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static IEnumerable<DataRecord> Read(Stream stream, string file, FieldLayout? layout, TextFileOptions options)
    {
        CsvConfiguration configuration = new(CultureInfo.InvariantCulture)
        {
            Delimiter = ",",
            Mode = CsvMode.RFC4180,
            ExceptionMessagesContainRawData = false,
            IgnoreBlankLines = false,
            BadDataFound = args => throw new DataFormatException(file, args.Context.Parser!.RawRow, "a quote stands inside a field that does not begin with one; wanted the whole field in quotes and quotes inside doubled."),
        };
        using CsvRecordBounds text = new(new StreamReader(stream, StrictUtf8), file, options.MaxLineLength);
        using CsvParser parser = new(text, configuration);
        if (!Advance(parser, file, out int line))
            throw new DataFormatException(file, 0, $"it is empty; wanted a header line with the columns{(layout is null ? "" : " " + layout.Preferred)}.");

        string[] header = [.. parser.Record!.Select(name => name.Trim())];
        if (header.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { Key: var twice })
            throw new DataFormatException(file, line, $"the column '{FieldLayout.Shown(twice)}' occurs twice; wanted different names.");

        layout?.RequireColumns(header, file, line);
        while (Advance(parser, file, out line))
            yield return Row(parser, header, file, line);
    }

    /// <summary>Reads the next record. Blank lines are passed over here, not by the parser, which would not tell how many they were.</summary>
    private static bool Advance(CsvParser parser, string file, out int line)
    {
        line = parser.RawRow + 1;
        try
        {
            while (parser.Read())
            {
                if (!IsBlank(parser))
                    return true;

                line = parser.RawRow + 1;
            }

            return false;
        }
        catch (CsvHelperException)
        {
            throw new DataFormatException(file, line, "the line is not CSV; wanted fields with commas between, those with commas, quotes or line ends in quotes.");
        }
        catch (DecoderFallbackException)
        {
            throw new DataFormatException(file, line, "at or soon after this line there are bytes that are not UTF-8; save the file as UTF-8.");
        }
    }

    // A pair of quotes alone is a record of one empty field.
    private static bool IsBlank(CsvParser parser) => parser is { Count: 1 } && parser[0].Length == 0 && parser.RawRecord.AsSpan().Trim("\r\n").IsEmpty;

    private static DataRecord Row(CsvParser parser, string[] header, string file, int line)
    {
        if (parser.Count != header.Length)
            throw new DataFormatException(file, line, $"got {parser.Count} fields; wanted {header.Length}, as in the header. Put fields with commas or line ends in quotes.");

        Dictionary<string, DataValue> fields = new(header.Length, StringComparer.Ordinal);
        for (int i = 0; i < header.Length; i++)
            fields[header[i]] = new(DataKind.Text, parser[i]);

        return new(file, line, fields);
    }
}
