using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>Reads a Hugging Face <c>config.json</c> strictly and collects every problem, so that one error lists them all.</summary>
/// <remarks>
/// A key that is absent takes the default the caller gives; a key that is present with the wrong type or outside its range is a problem
/// even when a default exists. JSON null counts as absent, as in transformers. Unknown keys are ignored: they are metadata of newer versions.
/// </remarks>
public sealed class ConfigReader
{
    private const int LargestFile = 16 << 20;
    private readonly JsonElement _root;
    private readonly List<string> _problems;
    private readonly string _path;

    private ConfigReader(string source, JsonElement root, string path, List<string> problems) =>
        (Source, _root, _path, _problems) = (source, root, path, problems);

    /// <summary>The file that is read, as the user named it.</summary>
    public string Source { get; }

    /// <summary>Opens a JSON file whose root is an object.</summary>
    /// <exception cref="CheckpointException">The file is larger than 16 MiB, no JSON, its root is no object, or a name occurs twice in one.</exception>
    public static ConfigReader Open(string path) => JsonFile.Read(path, LargestFile, root => new ConfigReader(path, root.Clone(), "", []));

    /// <summary>Reads the configuration from bytes; <paramref name="source"/> names them in messages.</summary>
    /// <exception cref="CheckpointException">As <see cref="Open"/>.</exception>
    public static ConfigReader Parse(string source, ReadOnlyMemory<byte> json) => JsonFile.Parse(source, json, root => new ConfigReader(source, root.Clone(), "", []));

    /// <summary>Notes a problem with the value at <paramref name="key"/>.</summary>
    public void Reject(string key, string reason) => _problems.Add($"{_path}{key}: {reason}");

    /// <summary>Throws one error with all problems noted so far, if there are any.</summary>
    /// <exception cref="CheckpointException">There were problems.</exception>
    public void ThrowIfRejected()
    {
        if (_problems.Count > 0)
            throw CheckpointException.Of(Source, "unusable configuration:", _problems);
    }

    /// <summary>Whether the key is present and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether the key is present with JSON null, which a few keys tell from absent.</summary>
    public bool IsNull(string key) => _root.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>Whether the key holds an object.</summary>
    public bool IsObject(string key) => Find(key) is { ValueKind: JsonValueKind.Object };

    /// <summary>The nested object at <paramref name="key"/>, or null; its problems are reported with this reader's.</summary>
    public ConfigReader? Section(string key)
    {
        if (Find(key) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
            return new(Source, value, $"{_path}{key}.", _problems);
        Reject(key, $"expected an object, got {Show(value)}");
        return null;
    }

    /// <summary>The nested object at <paramref name="key"/>, or one without keys where it is absent or none.</summary>
    public ConfigReader SectionOrEmpty(string key) => Section(key) ?? new(Source, JsonElement.Parse("{}"), $"{_path}{key}.", _problems);

    /// <summary>The keys that are present, in the order of the file.</summary>
    public IEnumerable<string> Keys => _root.EnumerateObject().Select(entry => entry.Name);

    /// <summary>An integer in [<paramref name="least"/>, <paramref name="most"/>]; without a default the key is required.</summary>
    public int WholeNumber(string key, int least, int most, int? otherwise = null) => OptionalWholeNumber(key, least, most) ?? Default(key, otherwise, least);

    /// <summary>An integer in [<paramref name="least"/>, <paramref name="most"/>], or null when the key is absent.</summary>
    public int? OptionalWholeNumber(string key, int least, int most)
    {
        if (Find(key) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most)
            return number;
        Reject(key, $"expected an integer from {least} to {most}, got {Show(value)}");
        return least;
    }

    /// <summary>The integers in [<paramref name="least"/>, <paramref name="most"/>] of an array, or one that stands alone; empty when the key is absent.</summary>
    public IReadOnlyList<int> WholeNumbers(string key, int least, int most)
    {
        if (Find(key) is not { ValueKind: JsonValueKind.Array } array)
            return OptionalWholeNumber(key, least, most) is { } number ? [number] : [];
        List<int> numbers = [];
        foreach (JsonElement item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out int number) || number < least || number > most)
            {
                Reject(key, $"expected integers from {least} to {most}, got {Show(array)}");
                return [];
            }

            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>Two integers in [<paramref name="least"/>, <paramref name="most"/>], an array of them or one that stands for both.</summary>
    public (int First, int Second) Pair(string key, int least, int most, (int First, int Second) otherwise)
    {
        switch (WholeNumbers(key, least, most))
        {
            case []:
                return otherwise;
            case [var both]:
                return (both, both);
            case [var first, var second]:
                return (first, second);
            case var more:
                Reject(key, $"expected one integer or two, got {more.Count}");
                return otherwise;
        }
    }

    /// <summary>A finite number in [<paramref name="least"/>, <paramref name="most"/>]; without a default the key is required.</summary>
    public double Number(string key, double least, double most, double? otherwise = null)
    {
        if (Find(key) is not { } value)
            return Default(key, otherwise, least);
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most)
            return number;
        Reject(key, FormattableString.Invariant($"expected a number from {least} to {most}, got {Show(value)}"));
        return least;
    }

    /// <summary>Two finite numbers in [<paramref name="least"/>, <paramref name="most"/>], an array of them or one that stands for both.</summary>
    public (double First, double Second) NumberPair(string key, double least, double most, (double First, double Second) otherwise)
    {
        switch (Numbers(key, least, most))
        {
            case []:
                return otherwise;
            case [var both]:
                return (both, both);
            case [var first, var second]:
                return (first, second);
            case var more:
                Reject(key, $"expected one number or two, got {more.Count}");
                return otherwise;
        }
    }

    /// <summary>The finite numbers in [<paramref name="least"/>, <paramref name="most"/>] of an array, or one that stands alone; empty when the key is absent.</summary>
    public IReadOnlyList<double> Numbers(string key, double least, double most)
    {
        if (Find(key) is not { } value)
            return [];
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (items.All(item => item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out double number) && number >= least && number <= most))
            return [.. items.Select(item => item.GetDouble())];
        Reject(key, FormattableString.Invariant($"expected numbers from {least} to {most}, got {Show(value)}"));
        return [];
    }

    /// <summary>A Boolean; without a default the key is required.</summary>
    public bool Flag(string key, bool? otherwise = null)
    {
        if (Find(key) is not { } value)
            return Default(key, otherwise, false);
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Reject(key, $"expected true or false, got {Show(value)}");
        return false;
    }

    /// <summary>A string, or null when the key is absent.</summary>
    public string? Text(string key)
    {
        if (Find(key) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString();
        Reject(key, $"expected a string, got {Show(value)}");
        return null;
    }

    /// <summary>Notes a problem unless the key is absent or holds one of <paramref name="supported"/>.</summary>
    public void Supports(string key, params ReadOnlySpan<string> supported)
    {
        if (Text(key) is { } value && !supported.Contains(value))
            Reject(key, $"'{value}' is not supported; supported: {string.Join(", ", supported.ToArray())}");
    }

    /// <summary>A finite number in [<paramref name="least"/>, <paramref name="most"/>], or null when the key is absent.</summary>
    public double? OptionalNumber(string key, double least, double most) => Has(key) ? Number(key, least, most) : null;

    /// <summary>The strings of an array, empty when the key is absent.</summary>
    public IReadOnlyList<string> Texts(string key)
    {
        if (Find(key) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        Reject(key, $"expected an array of strings, got {Show(value)}");
        return [];
    }

    /// <summary>The entries of an object from "0", "1", ... to strings (Hugging Face's <c>id2label</c>) in order of their number; null when absent.</summary>
    public IReadOnlyList<string>? NumberedTexts(string key)
    {
        if (Find(key) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Object)
        {
            Dictionary<string, string> entries = new(StringComparer.Ordinal);
            foreach (JsonProperty entry in value.EnumerateObject().Where(entry => entry.Value.ValueKind == JsonValueKind.String))
                entries[entry.Name] = entry.Value.GetString()!;
            string?[] ordered = [.. Enumerable.Range(0, entries.Count).Select(i => entries.GetValueOrDefault(FormattableString.Invariant($"{i}")))];
            if (entries.Count == value.EnumerateObject().Count() && ordered.All(text => text is not null))
                return ordered!;
        }

        Reject(key, $"expected an object that maps \"0\", \"1\", ... to strings without a gap, got {Show(value)}");
        return null;
    }

    private JsonElement? Find(string key) =>
        _root.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private T Default<T>(string key, T? otherwise, T placeholder) where T : struct
    {
        if (otherwise is null)
            Reject(key, "missing");
        return otherwise ?? placeholder;
    }

    private static string Show(JsonElement value)
    {
        const int Longest = 60;
        string text = value.GetRawText();
        return text.Length <= Longest ? text : text[..Longest] + "...";
    }
}
