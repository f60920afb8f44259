using System.Text.Json;

namespace Federated.Client.Tokenizers.Files;

/// <summary>A value inside a JSON file that knows its path, so that every error can name it.</summary>
internal readonly struct JsonPlace(JsonElement element, string file, string path)
{
    /// <summary>Name of the file.</summary>
    public string File => file;

    /// <summary>Place in the file.</summary>
    public string Path => path;

    public bool IsNull => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    public bool IsText => element.ValueKind == JsonValueKind.String;

    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    /// <summary>A member; a null node if it is missing.</summary>
    public JsonPlace this[string name]
    {
        get
        {
            Want(JsonValueKind.Object, "an object");
            return new(element.TryGetProperty(name, out JsonElement value) ? value : default, file, $"{path}.{name}");
        }
    }

    /// <summary>Whether there is a member of this name, null or not.</summary>
    public bool Has(string name)
    {
        Want(JsonValueKind.Object, "an object");
        return element.TryGetProperty(name, out _);
    }

    public string Text()
    {
        Want(JsonValueKind.String, "a string");
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("a string with half of a surrogate pair; wanted well-formed text.");
        }
    }

    /// <summary>A string of at most so many UTF-16 units.</summary>
    public string Text(int limit) =>
        Text() is { } text && text.Length <= limit ? text : throw Wrong($"a string of {Text().Length} characters; wanted at most {limit}.");

    /// <summary>The bytes of a string in base64.</summary>
    public byte[] Bytes()
    {
        Want(JsonValueKind.String, "a string");
        return element.TryGetBytesFromBase64(out byte[]? bytes) ? bytes : throw Wrong("a string that is not base64.");
    }

    public int Integer(int limit)
    {
        Want(JsonValueKind.Number, "a whole number");
        return element.TryGetInt32(out int value) && value >= 0 && value < limit
            ? value
            : throw Wrong($"{element.GetRawText()[..Math.Min(element.GetRawText().Length, 40)]}; wanted a whole number from 0 to {limit - 1}.");
    }

    public double Number()
    {
        Want(JsonValueKind.Number, "a number");
        return element.GetDouble();
    }

    /// <summary>True, false, or <paramref name="missing"/> where there is nothing.</summary>
    public bool Boolean(bool missing) => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null or JsonValueKind.Undefined => missing,
        _ => throw Wrong($"{Kind()}; wanted true or false."),
    };

    /// <summary>The elements of an array, at most <paramref name="limit"/>.</summary>
    public IEnumerable<JsonPlace> Items(int limit)
    {
        Want(JsonValueKind.Array, "an array");
        if (element.GetArrayLength() > limit)
            throw Wrong($"an array of {element.GetArrayLength()}; wanted at most {limit} elements.");

        (JsonElement array, string name, string place) = (element, file, path);
        return array.EnumerateArray().Select((item, index) => new JsonPlace(item, name, $"{place}[{index}]"));
    }

    /// <summary>The members of an object, at most <paramref name="limit"/>.</summary>
    public IEnumerable<KeyValuePair<string, JsonPlace>> Members(int limit)
    {
        Want(JsonValueKind.Object, "an object");
        if (element.GetPropertyCount() > limit)
            throw Wrong($"an object of {element.GetPropertyCount()}; wanted at most {limit} members.");

        (JsonElement members, string name, string place) = (element, file, path);
        return members.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, new JsonPlace(member.Value, name, place + "[…]")));
    }

    public TokenizerFormatException Wrong(string problem) => new(file, path, $"got {problem}");

    private void Want(JsonValueKind kind, string wanted)
    {
        if (element.ValueKind != kind)
            throw Wrong($"{Kind()}; wanted {wanted}.");
    }

    private string Kind() => element.ValueKind switch
    {
        JsonValueKind.Undefined => "nothing",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
