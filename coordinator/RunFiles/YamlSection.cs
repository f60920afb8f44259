using System.Globalization;

namespace Federated.Coordinator.RunFiles;

/// <summary>Reads the entries of one mapping; what is wrong is collected, nothing is skipped in silence.</summary>
/// <param name="path">Where the mapping stands, for example <c>training</c>; empty for the whole file.</param>
/// <param name="map">The mapping; null when it is missing, and every entry of it then is.</param>
/// <param name="errors">Receives one sentence for each thing that is wrong.</param>
internal sealed class YamlSection(string path, YamlMap? map, ICollection<string> errors)
{
    private readonly Dictionary<string, YamlTree> _values =
        map?.Entries.ToDictionary(entry => entry.Key.Text, entry => entry.Value, StringComparer.Ordinal) ?? [];

    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>A mapping below this one; null entries when it is missing.</summary>
    public YamlSection Section(string key, bool required = true)
    {
        YamlTree? value = Take(key, required && map is not null, "a mapping");
        if (value is not null and not YamlMap)
            Wrong(key, value, "a mapping of keys and values was expected");
        return new(Full(key), value as YamlMap, errors);
    }

    /// <summary>Text.</summary>
    public string Text(string key, string? fallback = null)
    {
        if (Take(key, fallback is null, "a text") is not { } value)
            return fallback ?? "";
        return Scalar(key, value, "one text was expected")?.Text ?? fallback ?? "";
    }

    /// <summary>A whole number.</summary>
    public long Whole(string key, long? fallback = null)
    {
        if (Take(key, fallback is null, "a whole number") is not { } value)
            return fallback ?? 0;
        if (Scalar(key, value, "a whole number was expected") is { } scalar)
        {
            if (long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
                return number;
            Wrong(key, scalar, "a whole number was expected");
        }

        return fallback ?? 0;
    }

    /// <summary>A whole number that fits an int.</summary>
    public int Count(string key, int? fallback = null)
    {
        long number = Whole(key, fallback);
        if (number is >= int.MinValue and <= int.MaxValue)
            return (int)number;
        Wrong(key, _values[key], $"a whole number of at most {int.MaxValue} was expected");
        return fallback ?? 0;
    }

    /// <summary>A number.</summary>
    public double Number(string key, double? fallback = null)
    {
        if (Take(key, fallback is null, "a number") is not { } value)
            return fallback ?? 0;
        if (Scalar(key, value, "a number was expected") is { } scalar)
        {
            if (double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number))
                return number;
            Wrong(key, scalar, "a finite number was expected");
        }

        return fallback ?? 0;
    }

    /// <summary>A time span such as <c>90s</c>, <c>10m</c> or <c>2h</c>.</summary>
    public TimeSpan Duration(string key, TimeSpan fallback)
    {
        if (Take(key, required: false, "a duration") is not { } value || Scalar(key, value, "a duration was expected") is not { } scalar)
            return fallback;

        (string digits, double seconds) = scalar.Text switch
        {
            [.. string n, 'm', 's'] => (n, 0.001),
            [.. string n, 's'] => (n, 1),
            [.. string n, 'm'] => (n, 60),
            [.. string n, 'h'] => (n, 3600),
            _ => ("", 0),
        };
        if (double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number * seconds < 1e9)
            return TimeSpan.FromSeconds(number * seconds);

        Wrong(key, scalar, "a number with a unit was expected: ms, s, m or h, for example 10m");
        return fallback;
    }

    /// <summary>A list of texts.</summary>
    public IReadOnlyList<string> Texts(string key, bool required)
    {
        YamlTree? value = Take(key, required, "a list");
        if (value is null)
            return [];
        if (value is not YamlList list)
        {
            Wrong(key, value, "a list was expected, for example [a, b]");
            return [];
        }

        List<string> texts = [];
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (Scalar($"{key}[{i}]", list.Items[i], "one text was expected") is { } item)
                texts.Add(item.Text);
        }

        return texts;
    }

    /// <summary>All entries that nobody asked for by name, as text: the options of something that knows its own.</summary>
    public IReadOnlyDictionary<string, string> Rest()
    {
        Dictionary<string, string> rest = new(StringComparer.Ordinal);
        foreach (string key in _values.Keys.Except(_known, StringComparer.Ordinal).ToArray())
        {
            _known.Add(key);
            if (Scalar(key, _values[key], "one value was expected") is { } scalar)
                rest.Add(key, scalar.Text);
        }

        return rest;
    }

    /// <summary>Adds an error for every key that nobody asked for.</summary>
    public void RefuseUnknown()
    {
        foreach ((YamlScalar key, _) in map?.Entries ?? [])
        {
            if (!_known.Contains(key.Text))
                errors.Add($"{Full(key.Text)} (line {key.Line}) is no key here; known keys: {string.Join(", ", _known)}.");
        }
    }

    /// <summary>Where a key stands, for messages: its path and, when the file has it, its line.</summary>
    public string Place(string key) => _values.TryGetValue(key, out YamlTree? value) ? $"{Full(key)} (line {value.Line})" : Full(key);

    private string Full(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private YamlTree? Take(string key, bool required, string what)
    {
        _known.Add(key);
        if (_values.TryGetValue(key, out YamlTree? value))
            return value;
        if (required)
            errors.Add($"{Full(key)} is missing; {what} is needed.");
        return null;
    }

    private YamlScalar? Scalar(string key, YamlTree value, string expected)
    {
        if (value is YamlScalar scalar && (scalar.Quoted || scalar.Text.Length > 0))
            return scalar;
        Wrong(key, value, expected);
        return null;
    }

    private void Wrong(string key, YamlTree value, string expected)
    {
        string got = value switch
        {
            YamlScalar { Text.Length: 0 } => "empty",
            YamlScalar scalar => $"'{scalar.Text}'",
            YamlList => "a list",
            _ => "a mapping",
        };
        errors.Add($"{Full(key)} (line {value.Line}) is {got}; {expected}.");
    }
}
