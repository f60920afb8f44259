using System.Text.Json;

namespace Federated.Shared.Peft;

/// <summary>Reads the fields of one JSON object once each, notes faults instead of throwing, and knows which fields are left.</summary>
internal sealed class JsonFields(JsonElement root, List<string> faults)
{
    private const int MaxItems = 10_000;
    private const int MaxText = 4096;
    private const int MaxRank = 1 << 20;
    private const int MaxExpressions = 100;

    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private int _expressions;

    public IEnumerable<JsonProperty> Unread => root.EnumerateObject().Where(p => !_read.Contains(p.Name));

    public bool TryGet(string name, out JsonElement value)
    {
        _read.Add(name);
        return root.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    public bool Flag(string name, bool otherwise)
    {
        if (!TryGet(name, out JsonElement value))
            return otherwise;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();

        Fault(name, value, "true or false");
        return otherwise;
    }

    public int Whole(string name, int otherwise, int least)
    {
        if (!TryGet(name, out JsonElement value))
            return otherwise;
        if (IsWhole(value, least, out int number))
            return number;

        Fault(name, value, $"a whole number of {least} or more");
        return otherwise;
    }

    /// <summary>A whole number; null if absent.</summary>
    public int? WholeOrNull(string name, int least) => TryGet(name, out _) ? Whole(name, least, least) : null;

    public double Number(string name, double otherwise, Func<double, bool> fits, string wanted, bool required = false)
    {
        if (!TryGet(name, out JsonElement value))
        {
            if (required)
                faults.Add($"{name} is missing; wanted {wanted}.");
            return otherwise;
        }

        if (IsNumber(value, out double number) && fits(number))
            return number;

        Fault(name, value, wanted);
        return otherwise;
    }

    public string? Text(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        if (IsText(value))
            return value.GetString();

        Fault(name, value, "text or null");
        return null;
    }

    /// <summary>A list of texts; null if absent.</summary>
    public IReadOnlyList<string>? Texts(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        if (IsList(value) && value.EnumerateArray().All(item => IsText(item) && item.GetString()!.Length > 0))
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];

        Fault(name, value, $"a list of at most {MaxItems} names");
        return null;
    }

    /// <summary>A list of whole numbers, or one number standing for such a list; null if absent.</summary>
    public IReadOnlyList<int>? Wholes(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        if (IsWhole(value, 0, out int single))
            return [single];
        if (IsList(value) && value.EnumerateArray().All(item => IsWhole(item, 0, out _)))
            return [.. value.EnumerateArray().Select(item => item.GetInt32())];

        Fault(name, value, "a whole number of 0 or more, or a list of them");
        return null;
    }

    /// <summary>One of several words; the default if absent.</summary>
    public T Choice<T>(string name, T otherwise, params ReadOnlySpan<(string Word, T Meaning)> choices)
    {
        string? text = TryGet(name, out JsonElement value) ? Text(name) : null;
        if (text is null)
            return otherwise;
        foreach ((string word, T meaning) in choices)
        {
            if (word == text)
                return meaning;
        }

        List<string> words = [];
        foreach ((string word, _) in choices)
            words.Add(word);
        Fault(name, value, string.Join(", ", words[..^1]) + " or " + words[^1]);
        return otherwise;
    }

    /// <summary>A field of which only one word is supported; it may be absent.</summary>
    public void Only(string name, string word)
    {
        if (TryGet(name, out JsonElement value) && !(value.ValueKind == JsonValueKind.String && value.ValueEquals(word)))
            Fault(name, value, $"'{word}'; nothing else is supported for this kind of adapter");
    }

    /// <summary>A seed of 0 or more.</summary>
    public long Seed(string name, long otherwise)
    {
        if (!TryGet(name, out JsonElement value))
            return otherwise;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long seed) && seed >= 0)
            return seed;

        Fault(name, value, "a whole number from 0 to 9223372036854775807");
        return otherwise;
    }

    /// <summary>An object of lists of flags, each as long as it must be, in the order of the file; null if absent.</summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<bool>>>? Flags(string name, int length)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() > MaxItems)
        {
            Fault(name, value, $"an object of at most {MaxItems} lists of true and false");
            return null;
        }

        List<KeyValuePair<string, IReadOnlyList<bool>>> entries = [];
        foreach (JsonProperty entry in value.EnumerateObject())
        {
            bool fits = entry.Value.ValueKind == JsonValueKind.Array && entry.Value.GetArrayLength() == length
                && entry.Value.EnumerateArray().All(flag => flag.ValueKind is JsonValueKind.True or JsonValueKind.False);
            if (fits)
                entries.Add(new(entry.Name, [.. entry.Value.EnumerateArray().Select(flag => flag.GetBoolean())]));
            else
                Fault($"{name}.{entry.Name}", entry.Value, $"a list of {length} times true or false");
        }

        return entries;
    }

    /// <summary>A rank of 1 or more.</summary>
    public int Rank(string name, int otherwise) => (int)Number(name, otherwise, IsRank, RankWanted);

    /// <summary>A probability below 1; 0 if absent.</summary>
    public double Dropout(string name) => Number(name, 0, p => p is >= 0 and < 1, "a probability of 0 or more and less than 1");

    /// <summary>Ranks by patterns for the end of a module's name.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern(string name) =>
        [.. Compiling(Numbers(name, IsRank, RankWanted), name).Select(entry => KeyValuePair.Create(entry.Key, (int)entry.Value))];

    /// <summary>Numbers by patterns for the end of a module's name.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern(string name) => Compiling(Numbers(name, _ => true, "a number"), name);

    /// <summary>A list of patterns for the name of a list of layers, or one; null if absent or empty.</summary>
    public IReadOnlyList<string>? Patterns(string name)
    {
        IReadOnlyList<string>? patterns = TryGet(name, out JsonElement value) && IsText(value)
            ? value.GetString() is { Length: > 0 } single ? [single] : null
            : Texts(name);
        foreach (string pattern in patterns ?? [])
            Compile(name, pattern, ModulePattern.LayerIndex, isExpression: true);
        return patterns;
    }

    /// <summary>A choice of modules: a list of names, or a regular expression; null if absent or an empty list.</summary>
    public ModuleSelector? Selector(string name, bool mayBeEmpty = false)
    {
        if (!TryGet(name, out JsonElement value))
            return null;

        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                return ModuleSelector.OfPattern(value.GetString()!);
            }
            catch (PeftFormatException error)
            {
                faults.Add($"{name}: {error.Message}");
                return null;
            }
        }

        IReadOnlyList<string>? names = Texts(name);
        if (names is { Count: 0 } && !mayBeEmpty)
            Fault(name, value, "at least one name");

        return names is { Count: > 0 } ? ModuleSelector.OfNames(names) : null;
    }

    /// <summary>Lets a field pass that has no effect here, if its value is one it may have.</summary>
    public void Ignore(string name, Func<JsonElement, bool> fits)
    {
        if (root.TryGetProperty(name, out JsonElement value) && fits(value))
            _read.Add(name);
    }

    /// <summary>An object of numbers, in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Numbers(string name, Func<double, bool> fits, string wanted)
    {
        if (!TryGet(name, out JsonElement value))
            return [];
        if (value.ValueKind != JsonValueKind.Object)
        {
            Fault(name, value, "an object from module names to numbers");
            return [];
        }

        if (value.GetPropertyCount() > MaxItems)
        {
            faults.Add($"{name} has {value.GetPropertyCount()} entries; at most {MaxItems} are read.");
            return [];
        }

        List<KeyValuePair<string, double>> entries = [];
        foreach (JsonProperty entry in value.EnumerateObject())
        {
            if (IsNumber(entry.Value, out double number) && fits(number))
                entries.Add(new(entry.Name, number));
            else
                Fault($"{name}.{entry.Name}", entry.Value, wanted);
        }

        return entries;
    }

    public void Fault(string fault) => faults.Add(fault);

    public void Fault(string name, JsonElement got, string wanted) => Fault(name, Show(got), wanted);

    public void Fault(string name, string got, string wanted) => faults.Add($"{name} is {got}; wanted {wanted}.");

    public static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String && value.GetRawText().Length <= MaxText;

    public static string Show(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 80 ? text : text[..77] + "...";
    }

    private const string RankWanted = "a whole number from 1 to 1048576";

    private static bool IsRank(double value) => value is >= 1 and <= MaxRank && value == Math.Floor(value);

    private IReadOnlyList<KeyValuePair<string, double>> Compiling(IReadOnlyList<KeyValuePair<string, double>> patterns, string name)
    {
        foreach ((string pattern, _) in patterns)
            Compile(name, pattern, ModulePattern.Suffix, !ModulePattern.IsPlain(pattern));
        return patterns;
    }

    private void Compile(string name, string pattern, Func<string, ModulePattern> compile, bool isExpression)
    {
        if (isExpression && ++_expressions > MaxExpressions)
        {
            if (_expressions == MaxExpressions + 1)
                faults.Add($"{name} and the fields before it hold more than {MaxExpressions} regular expressions. Write out the ends of names.");
            return;
        }

        try
        {
            _ = compile(pattern);
        }
        catch (PeftFormatException error)
        {
            faults.Add($"{name}: {error.Message}");
        }
    }

    private static bool IsList(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= MaxItems;

    private static bool IsWhole(JsonElement value, int least, out int number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number) && number >= least;
    }

    private static bool IsNumber(JsonElement value, out double number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out number) && double.IsFinite(number);
    }
}
