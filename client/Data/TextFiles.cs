using System.IO.Compression;

namespace Federated.Client.Data;

/// <summary>Streams the records of a file: JSON lines, CSV or plain text, as it is or compressed.</summary>
public static class TextFiles
{
    /// <summary>The endings that are known.</summary>
    public static IReadOnlyList<string> Endings { get; } = [".jsonl", ".csv", ".txt", ".jsonl.gz", ".csv.gz", ".txt.gz", ".jsonl.br", ".csv.br", ".txt.br"];

    /// <summary>Reads a file record by record; the format follows from the end of its name.</summary>
    /// <param name="path">A file with one of <see cref="Endings"/>.</param>
    /// <param name="layout">The fields that every record has to have; null for any.</param>
    /// <param name="options">Bounds.</param>
    /// <returns>Records in the order of the file; read while enumerated, one in memory at a time.</returns>
    /// <exception cref="DataFormatException">While enumerated: the file is malformed, lacks fields or exceeds a bound.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<DataRecord> Records(string path, FieldLayout? layout = null, TextFileOptions? options = null)
    {
        string name = path.ToLowerInvariant();
        if (!Endings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)))
            throw new DataFormatException(path, 0, $"the name tells no known format; wanted one that ends with {string.Join(", ", Endings)}.");

        return ReadFile(path, layout, options ?? new(), Format(name) switch
        {
            ".csv" => CsvTable.Read,
            ".txt" => PlainText.Read,
            _ => JsonLines.Read,
        });
    }

    /// <summary>Reads texts, single or in pairs, with their labels.</summary>
    /// <param name="path">A file with one of <see cref="Endings"/>.</param>
    /// <param name="options">Names of fields and bounds.</param>
    /// <returns>Examples in the order of the file; read while enumerated, one in memory at a time.</returns>
    /// <exception cref="DataFormatException">While enumerated: the file is malformed, has no such field or exceeds a bound.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<LabelledText> Read(string path, TextFileOptions? options = null)
    {
        options ??= new();
        FieldLayout layout = options.Layout();
        return Records(path, layout, options).Select(record => LabelledText.Of(record, layout, options.LabelColumn));
    }

    /// <summary>Whether the file is plain text, which has documents but no fields.</summary>
    public static bool IsPlain(string path) => Format(path.ToLowerInvariant()) == ".txt";

    private static string Format(string name) =>
        Path.GetExtension(name) is ".gz" or ".br" ? Path.GetExtension(Path.GetFileNameWithoutExtension(name)) : Path.GetExtension(name);

    private static IEnumerable<DataRecord> ReadFile(
        string path, FieldLayout? layout, TextFileOptions options, Func<Stream, string, FieldLayout?, TextFileOptions, IEnumerable<DataRecord>> read)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
        using Stream content = Inflate(file, path);
        using BoundedInput bounded = new(content, path, options.MaxFileBytes);
        foreach (DataRecord record in read(bounded, path, layout, options))
            yield return record;
    }

    private static Stream Inflate(FileStream file, string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".gz" => new GZipStream(file, CompressionMode.Decompress),
        ".br" => new BrotliStream(file, CompressionMode.Decompress),
        _ => file,
    };
}
