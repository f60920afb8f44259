using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Federated.Simulations.Data;

/// <summary>Reads and writes the corpus file: JSON lines of <see cref="MailRecord"/>, compressed with Brotli.</summary>
public static class MailCorpus
{
    /// <summary>Largest corpus file, in compressed bytes: 4 MiB, the most that the repository keeps.</summary>
    public const int MaxCompressedBytes = 4 << 20;

    private const int MaxLineLength = 1 << 16;
    private const int MaxRecords = 100_000;

    // Text stays readable: only what JSON itself demands is escaped.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The corpus file that is built and published with this assembly.</summary>
    public static string DefaultPath => Path.Combine(AppContext.BaseDirectory, "data", "spamassassin.jsonl.br");

    /// <summary>Reads every record.</summary>
    /// <param name="path">A file that <see cref="Encode"/> gave.</param>
    /// <exception cref="InvalidDataException">The file is too large, no Brotli stream, or a line is no valid record; the line is named.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyList<MailRecord> Load(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
            throw new FileNotFoundException($"No corpus file at '{path}'. It is kept in the repository as simulations/data/spamassassin.jsonl.br; eng/prepare-mail.sh makes it anew.", path);

        if (file.Length > MaxCompressedBytes)
            throw new InvalidDataException($"'{path}' has {file.Length:N0} bytes; a corpus file has at most {MaxCompressedBytes:N0}.");

        using FileStream stream = file.OpenRead();
        using BrotliStream brotli = new(stream, CompressionMode.Decompress);
        using StreamReader reader = new(brotli, Encoding.UTF8);
        List<MailRecord> records = [];
        HashSet<string> ids = new(StringComparer.Ordinal);
        try
        {
            while (ReadLine(reader, path, records.Count + 1) is { } line)
            {
                MailRecord record = Parse(line, path, records.Count + 1);
                if (!ids.Add(record.Id))
                    throw new InvalidDataException($"'{path}' line {records.Count + 1}: id '{record.Id}' occurs twice.");

                if (records.Count == MaxRecords)
                    throw new InvalidDataException($"'{path}' has more than {MaxRecords:N0} records.");

                records.Add(record);
            }
        }
        catch (InvalidOperationException broken)
        {
            throw new InvalidDataException($"'{path}' is no Brotli stream, or a damaged one, after line {records.Count}. Restore it from the repository.", broken);
        }

        return records;
    }

    /// <summary>The bytes of a corpus file; equal records give equal bytes.</summary>
    /// <param name="records">The records in the order of the file.</param>
    /// <exception cref="InvalidDataException">The result would exceed <see cref="MaxCompressedBytes"/>.</exception>
    public static byte[] Encode(IEnumerable<MailRecord> records)
    {
        using MemoryStream output = new();
        using (BrotliStream brotli = new(output, new BrotliCompressionOptions { Quality = 11 }, leaveOpen: true))
        {
            foreach (MailRecord record in records)
            {
                brotli.Write(JsonSerializer.SerializeToUtf8Bytes(record, Json));
                brotli.WriteByte((byte)'\n');
            }
        }

        return output.Length <= MaxCompressedBytes
            ? output.ToArray()
            : throw new InvalidDataException(
                $"The corpus file would have {output.Length:N0} bytes; at most {MaxCompressedBytes:N0} are kept in the repository. Lower {nameof(MailPreparation)}.{nameof(MailPreparation.MaxTextLength)}.");
    }

    // Like StreamReader.ReadLine, but a hostile line without an end fails early.
    private static string? ReadLine(StreamReader reader, string path, int number)
    {
        StringBuilder line = new();
        for (int c = reader.Read(); c >= 0; c = reader.Read())
        {
            if (c == '\n')
                return line.ToString();

            if (line.Length == MaxLineLength)
                throw new InvalidDataException($"'{path}' line {number} is longer than {MaxLineLength:N0} chars.");

            line.Append((char)c);
        }

        return line.Length == 0 ? null : line.ToString();
    }

    private static MailRecord Parse(string line, string path, int number)
    {
        MailRecord? record;
        try
        {
            record = JsonSerializer.Deserialize<MailRecord>(line, Json);
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException($"'{path}' line {number} is no JSON object of id, folder, label, split and text: {broken.Message}", broken);
        }

        return record switch
        {
            null or { Id: null } or { Folder: null } or { Label: null } or { Split: null } or { Text: null } =>
                throw new InvalidDataException($"'{path}' line {number} lacks one of id, folder, label, split and text."),
            { Folder: var folder } when !MailFolders.All.Contains(folder) =>
                throw new InvalidDataException($"'{path}' line {number}: folder '{folder}' is unknown; known: {string.Join(", ", MailFolders.All)}."),
            { Split: var split } when !MailSplits.All.Contains(split) =>
                throw new InvalidDataException($"'{path}' line {number}: split '{split}' is unknown; known: {string.Join(", ", MailSplits.All)}."),
            { Label: var label, Folder: var folder } when label != MailFolders.LabelOf(folder) =>
                throw new InvalidDataException($"'{path}' line {number}: label '{label}' contradicts folder '{folder}'."),
            _ => record,
        };
    }
}
