using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Federated.Client.ChatTemplates;

/// <summary>A name, attribute or item that is not there; it reads as nothing and is false.</summary>
internal sealed class Undefined
{
    internal static Undefined Value { get; } = new();

    private Undefined()
    {
    }
}

/// <summary>A mapping that remembers the order of its keys.</summary>
internal sealed class Mapping
{
    internal OrderedDictionary<string, object?> Entries { get; } = new(StringComparer.Ordinal);
}

/// <summary>What <c>namespace()</c> makes: a mapping whose attributes <c>set</c> may change.</summary>
internal sealed class Namespace
{
    internal Dictionary<string, object?> Entries { get; } = new(StringComparer.Ordinal);
}

/// <summary>Something that can be called.</summary>
internal delegate object? Callable(IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named);

/// <summary>
/// Values of a template as Python has them: null for <c>None</c>, <see cref="Undefined"/>, bool, long, double, string, a list, <see cref="Mapping"/>,
/// <see cref="Namespace"/> or <see cref="Callable"/>.
/// </summary>
internal static class TemplateValue
{
    internal static object? Of(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => json.TryGetInt64(out long whole) ? (object)whole : json.GetDouble(),
        JsonValueKind.Array => json.EnumerateArray().Select(Of).ToList(),
        JsonValueKind.Object => MappingOf(json.EnumerateObject().Select(entry => (entry.Name, Of(entry.Value)))),
        _ => null,
    };

    internal static Mapping MappingOf(IEnumerable<(string Key, object? Value)> entries)
    {
        Mapping mapping = new();
        foreach ((string key, object? value) in entries)
            mapping.Entries[key] = value;
        return mapping;
    }

    internal static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        Mapping mapping => mapping.Entries.Count > 0,
        _ => true,
    };

    internal static new bool Equals(object? one, object? other) => (one, other) switch
    {
        (bool or long or double, bool or long or double) => Number(one) == Number(other),
        (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => Equals(pair.First, pair.Second)),
        (Mapping a, Mapping b) => a.Entries.Count == b.Entries.Count && a.Entries.All(entry => b.Entries.TryGetValue(entry.Key, out object? value) && Equals(entry.Value, value)),
        _ => object.Equals(one, other),
    };

    internal static double Number(object value) => value is bool flag ? (flag ? 1 : 0) : Convert.ToDouble(value, CultureInfo.InvariantCulture);

    /// <summary>What Python calls the kind of a value.</summary>
    internal static string Kind(object? value) => value switch
    {
        null => "None",
        Undefined => "undefined",
        bool => "a boolean",
        long => "an integer",
        double => "a number",
        string => "a string",
        IList => "a list",
        Mapping => "a mapping",
        Namespace => "a namespace",
        _ => "a function",
    };

    /// <summary>As <c>{{ value }}</c> writes it.</summary>
    internal static string Text(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Written(value, json: false, indent: null),
    };

    /// <summary>As Python writes a value in a list, or as its <c>json.dumps</c> does without escaping.</summary>
    internal static string Written(object? value, bool json, int? indent)
    {
        StringBuilder text = new();
        Write(text, value, json, indent, 0);
        return text.ToString();
    }

    private static void Write(StringBuilder text, object? value, bool json, int? indent, int depth)
    {
        if (depth > TemplateLimits.Depth || text.Length > TemplateLimits.Text)
            throw new ChatTemplateException("a value is nested too deep, or too long, to be written.");
        switch (value)
        {
            case null:
                text.Append(json ? "null" : "None");
                break;
            case bool flag:
                text.Append(json ? (flag ? "true" : "false") : (flag ? "True" : "False"));
                break;
            case double number:
                string digits = number.ToString("R", CultureInfo.InvariantCulture);
                text.Append(digits).Append(double.IsInteger(number) && !digits.Contains('E', StringComparison.Ordinal) ? ".0" : "");
                break;
            case string quoted:
                Quote(text, quoted, json);
                break;
            case List<object?> list:
                Enclose(text, '[', ']', list, item => Write(text, item, json, indent, depth + 1), indent, depth);
                break;
            case Mapping mapping:
                Enclose(text, '{', '}', mapping.Entries, entry =>
                {
                    Quote(text, entry.Key, json);
                    text.Append(": ");
                    Write(text, entry.Value, json, indent, depth + 1);
                }, indent, depth);
                break;
            case long number:
                text.Append(CultureInfo.InvariantCulture, $"{number}");
                break;
            default:
                throw new ChatTemplateException($"{Kind(value)} cannot be written.");
        }
    }

    private static void Enclose<T>(StringBuilder text, char open, char close, ICollection<T> items, Action<T> write, int? indent, int depth)
    {
        text.Append(open);
        bool first = true;
        foreach (T item in items)
        {
            if (!first)
                text.Append(indent is null ? ", " : ",");
            if (indent is { } width)
                text.Append('\n').Append(' ', width * (depth + 1));
            write(item);
            first = false;
        }

        if (indent is { } back && items.Count > 0)
            text.Append('\n').Append(' ', back * depth);
        text.Append(close);
    }

    private static void Quote(StringBuilder text, string value, bool json)
    {
        char quote = json || (value.Contains('\'') && !value.Contains('"')) ? '"' : '\'';
        text.Append(quote);
        foreach (char c in value)
        {
            if (c == quote || c == '\\')
                text.Append('\\').Append(c);
            else if (c is '\n' or '\r' or '\t')
                text.Append('\\').Append(c switch { '\n' => 'n', '\r' => 'r', _ => 't' });
            else if (c < ' ')
                text.Append(json ? "\\u00" : "\\x").Append(CultureInfo.InvariantCulture, $"{(int)c:x2}");
            else
                text.Append(c);
        }

        text.Append(quote);
    }
}
