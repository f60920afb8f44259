using System.Text;

namespace Federated.Client.Data;

/// <summary>Reads the documents of a plain text file: the whole file is one, unless lines that hold only <see cref="Separator"/> stand between several.</summary>
/// <remarks>The separator is the one that GPT-2's corpora use in text form. It is no part of a document, and neither are the line ends around it.</remarks>
internal static class PlainText
{
    public const string Separator = "<|endoftext|>";

    /// <summary>The name that a document goes by as the only field of its record.</summary>
    private const string Field = "text";

    private static readonly byte[] SeparatorBytes = Encoding.UTF8.GetBytes(Separator);

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static IEnumerable<DataRecord> Read(Stream stream, string file, FieldLayout? layout, TextFileOptions options)
    {
        if (layout is not null && layout.Find(name => name == Field) is null)
            throw new DataFormatException(file, 0, $"plain text has no fields; wanted JSONL or CSV with {layout.Preferred}.");

        LineReader lines = new(stream, file, options.MaxDocumentLength);
        StringBuilder document = new();
        int start = 1;
        while (lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            if (!line.Span.SequenceEqual(SeparatorBytes))
            {
                Append(document, line.Span, file, lines.Line, start, options);
                continue;
            }

            if (Document(document, file, start) is { } text)
                yield return text;

            document.Clear();
            start = lines.Line + 1;
        }

        if (Document(document, file, start) is { } last)
            yield return last;
    }

    private static void Append(StringBuilder document, ReadOnlySpan<byte> line, string file, int number, int start, TextFileOptions options)
    {
        if (document.Length + line.Length > options.MaxDocumentLength)
            throw new DataFormatException(file, start, $"the document that starts here has more than {options.MaxDocumentLength:N0} bytes; put lines that hold only {Separator} between documents, or split the file.");

        try
        {
            document.Append(StrictUtf8.GetString(line)).Append('\n');
        }
        catch (DecoderFallbackException)
        {
            throw new DataFormatException(file, number, "the line has bytes that are not UTF-8; save the file as UTF-8.");
        }
    }

    private static DataRecord? Document(StringBuilder document, string file, int start)
    {
        string text = document.ToString().Trim('\n');
        return text.Length == 0 ? null : new(file, start, new Dictionary<string, DataValue> { [Field] = new(DataKind.Text, text) });
    }
}
