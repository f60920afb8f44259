using System.IO.Compression;

namespace Federated.Client.Data;

/// <summary>Streams the examples of a file: JSON lines, CSV or plain text, as it is or compressed.</summary>
public static class TextFiles
{
    /// <summary>The endings that <see cref="Read"/> knows.</summary>
    public static IReadOnlyList<string> Endings { get; } = [".jsonl", ".csv", ".txt", ".jsonl.gz", ".csv.gz", ".txt.gz", ".jsonl.br", ".csv.br", ".txt.br"];

    /// <summary>Reads a file example by example; the format follows from the end of its name.</summary>
    /// <param name="path">A file with one of <see cref="Endings"/>.</param>
    /// <param name="options">Names of fields and bounds.</param>
    /// <returns>Examples in the order of the file; read while enumerated, one example in memory at a time.</returns>
    /// <exception cref="DataFormatException">While enumerated: the file is malformed, has no such column or exceeds a bound.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<LabelledText> Read(string path, TextFileOptions? options = null)
    {
        TextFileOptions how = options ?? new();
        string name = path.ToLowerInvariant();
        if (!Endings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)))
            throw new DataFormatException(path, 0, $"the name tells no known format; wanted one that ends with {string.Join(", ", Endings)}.");

        string format = Path.GetExtension(name) is ".gz" or ".br" ? Path.GetExtension(Path.GetFileNameWithoutExtension(name)) : Path.GetExtension(name);
        return ReadFile(path, how, format switch
        {
            ".csv" => CsvTable.Read,
            ".txt" => PlainText.Read,
            _ => JsonLines.Read,
        });
    }

    private static IEnumerable<LabelledText> ReadFile(string path, TextFileOptions options, Func<Stream, string, TextFileOptions, IEnumerable<LabelledText>> read)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
        using Stream content = Inflate(file, path);
        using BoundedInput bounded = new(content, path, options.MaxFileBytes);
        foreach (LabelledText example in read(bounded, path, options))
            yield return example;
    }

    private static Stream Inflate(FileStream file, string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".gz" => new GZipStream(file, CompressionMode.Decompress),
        ".br" => new BrotliStream(file, CompressionMode.Decompress),
        _ => file,
    };
}
