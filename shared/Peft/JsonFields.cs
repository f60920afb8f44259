using System.Text.Json;

namespace Federated.Shared.Peft;

/// <summary>Reads the fields of one JSON object once each, notes faults instead of throwing, and knows which fields are left.</summary>
internal sealed class JsonFields(JsonElement root, List<string> faults)
{
    private const int MaxItems = 10_000;
    private const int MaxText = 4096;

    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

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

    public double Number(string name, double otherwise, Func<double, bool> fits, string wanted)
    {
        if (!TryGet(name, out JsonElement value))
            return otherwise;
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

    public void Fault(string name, JsonElement got, string wanted) => faults.Add($"{name} is {Show(got)}; wanted {wanted}.");

    public static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String && value.GetRawText().Length <= MaxText;

    public static string Show(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 80 ? text : text[..77] + "...";
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
