using System.Collections;

namespace Federated.Client.ChatTemplates;

/// <summary>Operators, attributes, items and slices of template values, as in Python.</summary>
internal static class TemplateOperators
{
    internal static object? Binary(string sign, object? left, object? right) => (sign, left, right) switch
    {
        // Each arm gives an object: numbers of two kinds would become one.
        ("~", _, _) => Bounded(TemplateValue.Text(left) + TemplateValue.Text(right)),
        ("+", string one, string other) => Bounded(one + other),
        ("+", List<object?> one, List<object?> other) => Bounded([.. one, .. other]),
        ("*", string text, long count) => Repeated(text, count),
        ("%", string, _) => throw new ChatTemplateException("the formatting operator '%' is not supported."),
        (_, bool or long, bool or long) when Whole(sign, (long)TemplateValue.Number(left), (long)TemplateValue.Number(right)) is { } whole => (object)whole,
        (_, bool or long or double, bool or long or double) => (object)Real(sign, TemplateValue.Number(left), TemplateValue.Number(right)),
        _ => throw new ChatTemplateException($"'{sign}' between {TemplateValue.Kind(left)} and {TemplateValue.Kind(right)}."),
    };

    internal static bool Compare(string sign, object? left, object? right) => sign switch
    {
        "==" => TemplateValue.Equals(left, right),
        "!=" => !TemplateValue.Equals(left, right),
        "in" => Contains(right, left),
        "not in" => !Contains(right, left),
        _ => Ordered(sign, Order(left, right)),
    };

    /// <summary>Which of two values comes first; numbers with numbers, texts with texts.</summary>
    internal static int Order(object? left, object? right) => (left, right) switch
    {
        (string one, string other) => string.CompareOrdinal(one, other),
        (bool or long or double, bool or long or double) => TemplateValue.Number(left).CompareTo(TemplateValue.Number(right)),
        _ => throw new ChatTemplateException($"{TemplateValue.Kind(left)} and {TemplateValue.Kind(right)} have no order."),
    };

    internal static bool Contains(object? whole, object? part) => (whole, part) switch
    {
        (string text, string piece) => text.Contains(piece, StringComparison.Ordinal),
        (List<object?> list, _) => list.Any(item => TemplateValue.Equals(item, part)),
        (Mapping mapping, string key) => mapping.Entries.ContainsKey(key),
        (Mapping, _) => false,
        _ => throw new ChatTemplateException($"'in' asks {TemplateValue.Kind(whole)} for {TemplateValue.Kind(part)}."),
    };

    /// <summary><c>of[at]</c>; <see cref="Undefined"/> where there is none.</summary>
    internal static object? Item(object? of, object? at)
    {
        switch (of, at)
        {
            case (Mapping mapping, string key):
                return mapping.Entries.TryGetValue(key, out object? value) ? value : Undefined.Value;
            case (Namespace names, string key):
                return names.Entries.TryGetValue(key, out object? held) ? held : Undefined.Value;
            case (List<object?> list, long index):
                return Within(list.Count, ref index) ? list[(int)index] : Undefined.Value;
            case (string text, long index):
                return Within(text.Length, ref index) ? text[(int)index].ToString() : Undefined.Value;
            case (Undefined or null, _):
                throw new ChatTemplateException($"{TemplateValue.Kind(of)} has no items.");
            default:
                return Undefined.Value;
        }
    }

    internal static object? Slice(object? of, long? from, long? to, long step) => of switch
    {
        _ when step == 0 => throw new ChatTemplateException("a slice has the step 0."),
        string text => string.Concat(Indices(text.Length, from, to, step).Select(i => text[i])),
        List<object?> list => Indices(list.Count, from, to, step).Select(i => list[i]).ToList(),
        _ => throw new ChatTemplateException($"{TemplateValue.Kind(of)} cannot be sliced."),
    };

    /// <summary>The items a loop goes through: of a list, the letters of a text, the keys of a mapping.</summary>
    internal static IReadOnlyList<object?> Items(object? value) => value switch
    {
        List<object?> list => list,
        string text => [.. text.Select(letter => (object?)letter.ToString())],
        Mapping mapping => [.. mapping.Entries.Keys],
        Undefined => [],
        _ => throw new ChatTemplateException($"{TemplateValue.Kind(value)} has no items."),
    };

    internal static long Length(object? value) => value switch
    {
        string text => text.Length,
        ICollection list => list.Count,
        Mapping mapping => mapping.Entries.Count,
        _ => throw new ChatTemplateException($"{TemplateValue.Kind(value)} has no length."),
    };

    internal static string Bounded(string text) =>
        text.Length <= TemplateLimits.Text ? text : throw new ChatTemplateException($"a text grew beyond {TemplateLimits.Text} characters.");

    internal static List<object?> Bounded(List<object?> list) =>
        list.Count <= TemplateLimits.Items ? list : throw new ChatTemplateException($"a list grew beyond {TemplateLimits.Items} items.");

    private static string Repeated(string text, long count)
    {
        if (count > 0 && text.Length > TemplateLimits.Text / count)
            throw new ChatTemplateException($"a text grew beyond {TemplateLimits.Text} characters.");
        return string.Concat(Enumerable.Repeat(text, (int)Math.Max(0, count)));
    }

    /// <summary>The operation on integers; null where its result is none.</summary>
    private static long? Whole(string sign, long left, long right)
    {
        try
        {
            switch (sign)
            {
                case "+":
                    return checked(left + right);
                case "-":
                    return checked(left - right);
                case "*":
                    return checked(left * right);
                case "//" or "%" when right == 0:
                    throw new ChatTemplateException("a division by zero.");
                case "//":
                    // Python rounds down and takes the sign of the divisor.
                    return (left / right) - (left % right != 0 && left < 0 != right < 0 ? 1 : 0);
                case "%":
                    return ((left % right) + right) % right;
                case "**" when right >= 0 && Math.Pow(left, right) is var power && Math.Abs(power) < 1L << 53:
                    return (long)power;
                default:
                    return null;
            }
        }
        catch (OverflowException error)
        {
            throw new ChatTemplateException($"the result of '{sign}' is too large.", error);
        }
    }

    private static double Real(string sign, double left, double right) => sign switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "//" => Math.Floor(left / right),
        "%" => left - (right * Math.Floor(left / right)),
        "**" => Math.Pow(left, right),
        _ => throw new ChatTemplateException($"'{sign}' between numbers."),
    };

    private static bool Ordered(string sign, int order) => sign switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    private static bool Within(int count, ref long index)
    {
        index += index < 0 ? count : 0;
        return index >= 0 && index < count;
    }

    private static IEnumerable<int> Indices(int count, long? from, long? to, long step)
    {
        long Place(long? given, long otherwise, long least, long most) => given is { } at ? Math.Clamp(at < 0 ? at + count : at, least, most) : otherwise;
        long start = step > 0 ? Place(from, 0, 0, count) : Place(from, count - 1, -1, count - 1);
        long end = step > 0 ? Place(to, count, 0, count) : Place(to, -1, -1, count - 1);
        for (long i = start; step > 0 ? i < end : i > end; i += step)
            yield return (int)i;
    }
}
