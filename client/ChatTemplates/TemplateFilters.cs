using System.Collections.Frozen;
using System.Globalization;

namespace Federated.Client.ChatTemplates;

/// <summary>The filters (<c>value | name</c>) that chat templates use.</summary>
internal static class TemplateFilters
{
    /// <summary>A filter: the value, then what it was given.</summary>
    internal delegate object? Filter(object? value, CallArguments arguments);

    private static readonly FrozenDictionary<string, Filter> Known = new Dictionary<string, Filter>(StringComparer.Ordinal)
    {
        ["trim"] = (value, given) => TextMethods.Call("strip", TemplateValue.Text(value), given),
        ["upper"] = (value, given) => TextMethods.Call("upper", TemplateValue.Text(value), given),
        ["lower"] = (value, given) => TextMethods.Call("lower", TemplateValue.Text(value), given),
        ["title"] = (value, given) => TextMethods.Call("title", TemplateValue.Text(value), given),
        ["capitalize"] = (value, given) => TextMethods.Call("capitalize", TemplateValue.Text(value), given),
        ["replace"] = (value, given) => TextMethods.Call("replace", TemplateValue.Text(value), given),
        ["length"] = (value, _) => TemplateOperators.Length(value),
        ["count"] = (value, _) => TemplateOperators.Length(value),
        ["string"] = (value, _) => TemplateValue.Text(value),
        ["safe"] = (value, _) => value,
        ["int"] = (value, _) => value is string text ? (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) ? whole : 0L) : (long)TemplateValue.Number(value ?? 0L),
        ["float"] = (value, _) => value is string text ? (double.TryParse(text, CultureInfo.InvariantCulture, out double number) ? number : 0.0) : TemplateValue.Number(value ?? 0L),
        ["abs"] = (value, _) => value is long whole ? (object)Math.Abs(whole) : Math.Abs(TemplateValue.Number(value ?? 0L)),
        ["list"] = (value, _) => TemplateOperators.Items(value).ToList(),
        ["first"] = (value, _) => TemplateOperators.Items(value) is [var first, ..] ? first : Undefined.Value,
        ["last"] = (value, _) => TemplateOperators.Items(value) is [.., var last] ? last : Undefined.Value,
        ["reverse"] = (value, _) => value is string text ? string.Concat(text.Reverse()) : TemplateOperators.Items(value).Reverse().ToList(),
        ["join"] = (value, given) => TemplateOperators.Bounded(string.Join(given.Text(0, "d", ""), TemplateOperators.Items(value).Select(TemplateValue.Text))),
        ["items"] = (value, _) => MappingMethods.Items(value),
        ["dictsort"] = (value, _) => MappingMethods.Items(value).OrderBy(entry => (string)((List<object?>)entry!)[0]!, StringComparer.Ordinal).ToList(),
        ["default"] = Default,
        ["d"] = Default,
        ["tojson"] = (value, given) => TemplateValue.Written(value is Undefined ? null : value, json: true, given.Find(0, "indent") is long width ? (int)Math.Clamp(width, 0, 16) : null),
        ["indent"] = Indent,
        ["map"] = Map,
        ["selectattr"] = (value, given) => Select(value, given, attribute: true, keep: true),
        ["rejectattr"] = (value, given) => Select(value, given, attribute: true, keep: false),
        ["select"] = (value, given) => Select(value, given, attribute: false, keep: true),
        ["reject"] = (value, given) => Select(value, given, attribute: false, keep: false),
        ["unique"] = (value, _) => Unique(value),
        ["sort"] = (value, _) => TemplateOperators.Items(value).Order(Comparer<object?>.Create(TemplateOperators.Order)).ToList(),
        ["min"] = (value, _) => TemplateOperators.Items(value).Order(Comparer<object?>.Create(TemplateOperators.Order)).FirstOrDefault(Undefined.Value),
        ["max"] = (value, _) => TemplateOperators.Items(value).Order(Comparer<object?>.Create(TemplateOperators.Order)).LastOrDefault(Undefined.Value),
        ["sum"] = (value, _) => TemplateOperators.Items(value).Aggregate((object?)0L, (sum, item) => TemplateOperators.Binary("+", sum, item)),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <exception cref="ChatTemplateException">The filter is unknown, or does not fit the value.</exception>
    internal static object? Apply(string name, object? value, CallArguments arguments) => Known.TryGetValue(name, out Filter? filter)
        ? filter(value, arguments)
        : throw new ChatTemplateException($"the filter '{name}' is not supported; known are {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))}.");

    private static object? Default(object? value, CallArguments given)
    {
        bool alsoFalse = TemplateValue.IsTrue(given.Find(1, "boolean"));
        return value is Undefined || (alsoFalse && !TemplateValue.IsTrue(value)) ? given.Find(0, "default_value") ?? "" : value;
    }

    private static string Indent(object? value, CallArguments given)
    {
        int width = given.Find(0, "width") is long asked ? (int)Math.Clamp(asked, 0, 1000) : 4;
        bool first = TemplateValue.IsTrue(given.Find(1, "first")), blank = TemplateValue.IsTrue(given.Find(2, "blank"));
        string space = new(' ', width);
        return TemplateOperators.Bounded(string.Join('\n', TemplateValue.Text(value).Split('\n')
            .Select((line, i) => (i == 0 && !first) || (line.Length == 0 && !blank && i > 0) ? line : space + line)));
    }

    private static List<object?> Map(object? value, CallArguments given)
    {
        IReadOnlyList<object?> items = TemplateOperators.Items(value);
        if (given.Find(null, "attribute") is { } attribute)
        {
            object? otherwise = given.Find(null, "default");
            return [.. items.Select(item => TemplateOperators.Item(item, attribute) is var found && found is Undefined && otherwise is not null ? otherwise : found)];
        }

        string filter = given.Text(0, null, null) ?? throw new ChatTemplateException("'map' needs the name of a filter or attribute=.");
        return [.. items.Select(item => Apply(filter, item, given.From(1)))];
    }

    private static List<object?> Select(object? value, CallArguments given, bool attribute, bool keep)
    {
        string? name = attribute ? given.Text(0, null, null) ?? throw new ChatTemplateException("the name of an attribute is missing.") : null;
        CallArguments rest = given.From(attribute ? 1 : 0);
        string? test = rest.Text(0, null, null);
        bool Holds(object? item)
        {
            object? tested = name is null ? item : TemplateOperators.Item(item, name);
            return test is null ? TemplateValue.IsTrue(tested) : TemplateTests.Holds(test, tested, rest.From(1));
        }

        return [.. TemplateOperators.Items(value).Where(item => Holds(item) == keep)];
    }

    private static List<object?> Unique(object? value)
    {
        List<object?> seen = [];
        foreach (object? item in TemplateOperators.Items(value))
        {
            if (!seen.Any(earlier => TemplateValue.Equals(earlier, item)))
                seen.Add(item);
        }

        return seen;
    }
}
