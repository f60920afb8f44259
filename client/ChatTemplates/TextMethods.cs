using System.Globalization;

namespace Federated.Client.ChatTemplates;

/// <summary>Methods of Python's strings that chat templates call.</summary>
internal static class TextMethods
{
    /// <exception cref="ChatTemplateException">The method is unknown, or what it was given does not fit.</exception>
    internal static object? Call(string name, string text, CallArguments given) => name switch
    {
        "strip" => text.Trim(Letters(given)),
        "lstrip" => text.TrimStart(Letters(given)),
        "rstrip" => text.TrimEnd(Letters(given)),
        "upper" => text.ToUpperInvariant(),
        "lower" => text.ToLowerInvariant(),
        "title" => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(text.ToLowerInvariant()),
        "capitalize" => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant(),
        "startswith" => Any(given, text.StartsWith),
        "endswith" => Any(given, text.EndsWith),
        "find" => (long)text.IndexOf(Required(given), StringComparison.Ordinal),
        "rfind" => (long)text.LastIndexOf(Required(given), StringComparison.Ordinal),
        "count" => (long)(text.Split(Required(given)).Length - 1),
        "replace" => Replace(text, given),
        "split" => Split(text, given),
        "splitlines" => text.TrimEnd('\n').Split('\n').Select(line => (object?)line.TrimEnd('\r')).ToList(),
        "join" => TemplateOperators.Bounded(string.Join(text, TemplateOperators.Items(given.Find(0, null)).Select(TemplateValue.Text))),
        "removeprefix" => text.StartsWith(Required(given), StringComparison.Ordinal) ? text[Required(given).Length..] : text,
        "removesuffix" => text.EndsWith(Required(given), StringComparison.Ordinal) ? text[..^Required(given).Length] : text,
        "isdigit" => text.Length > 0 && text.All(char.IsDigit),
        "isspace" => text.Length > 0 && text.All(char.IsWhiteSpace),
        _ => throw new ChatTemplateException($"a string has no method '{name}' here."),
    };

    private static char[]? Letters(CallArguments given) => given.Text(0, "chars", null)?.ToCharArray();

    private static string Required(CallArguments given) =>
        given.Text(0, null, null) is { Length: > 0 } text ? text : throw new ChatTemplateException("a string that is not empty was expected.");

    private static bool Any(CallArguments given, Func<string, StringComparison, bool> holds) => given.Find(0, null) is List<object?> several
        ? several.Any(one => holds(TemplateValue.Text(one), StringComparison.Ordinal))
        : holds(given.Text(0, null, ""!)!, StringComparison.Ordinal);

    private static string Replace(string text, CallArguments given)
    {
        string old = Required(given), now = given.Text(1, null, "")!;
        long most = given.Find(2, "count") is long count and >= 0 ? count : long.MaxValue;
        string[] parts = text.Split(old);
        if (now.Length > old.Length && (parts.Length - 1L) * (now.Length - old.Length) > TemplateLimits.Text)
            throw new ChatTemplateException($"a text grew beyond {TemplateLimits.Text} characters.");
        return parts.Length - 1 <= most
            ? string.Join(now, parts)
            : string.Join(now, parts.Take((int)most + 1)) + old + string.Join(old, parts.Skip((int)most + 1));
    }

    private static List<object?> Split(string text, CallArguments given)
    {
        int most = given.Find(1, "maxsplit") is long count and >= 0 ? (int)Math.Min(count, int.MaxValue - 1) + 1 : int.MaxValue;
        string[] parts = given.Text(0, "sep", null) is { } separator
            ? text.Split(separator.Length > 0 ? separator : throw new ChatTemplateException("an empty separator."), most)
            : text.Split((char[]?)null, most, StringSplitOptions.RemoveEmptyEntries);
        return TemplateOperators.Bounded(parts.Cast<object?>().ToList());
    }
}

/// <summary>Methods of Python's dictionaries and lists that chat templates call.</summary>
internal static class MappingMethods
{
    /// <summary>The method of a value; null if it has none of this name.</summary>
    internal static Callable? Find(object? of, string name) => (of, name) switch
    {
        (string text, _) => (positional, named) => TextMethods.Call(name, text, new(positional, named)),
        (Mapping mapping, "items") => (_, _) => Items(mapping),
        (Mapping mapping, "keys") => (_, _) => mapping.Entries.Keys.Cast<object?>().ToList(),
        (Mapping mapping, "values") => (_, _) => mapping.Entries.Values.ToList(),
        (Mapping mapping, "get") => (given, named) => new CallArguments(given, named) is var all && all.Text(0, null, null) is { } key && mapping.Entries.TryGetValue(key, out object? value) ? value : all.Find(1, "default"),
        (List<object?> list, "append") => (given, _) =>
        {
            list.Add(given is [var item] ? item : throw new ChatTemplateException("'append' takes one value."));
            TemplateOperators.Bounded(list);
            return null;
        },
        _ => null,
    };

    /// <summary>The pairs of a mapping.</summary>
    internal static List<object?> Items(object? value) => value switch
    {
        Mapping mapping => [.. mapping.Entries.Select(entry => (object?)new List<object?> { entry.Key, entry.Value })],
        Undefined => [],
        _ => throw new ChatTemplateException($"{TemplateValue.Kind(value)} has no items."),
    };
}
