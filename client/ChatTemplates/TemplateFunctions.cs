namespace Federated.Client.ChatTemplates;

/// <summary>The functions that templates call by name.</summary>
internal static class TemplateFunctions
{
    internal static IReadOnlyDictionary<string, object?> All { get; } = new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["raise_exception"] = (Callable)((given, _) => throw new ChatTemplateException($"the template refuses the conversation: {TemplateValue.Text(given.Count > 0 ? given[0] : "")}") { Refuses = true }),
        ["namespace"] = (Callable)Namespace,
        ["dict"] = (Callable)((_, named) => TemplateValue.MappingOf(named.Select(entry => (entry.Key, entry.Value)))),
        ["range"] = (Callable)Range,
    };

    private static Namespace Namespace(IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        Namespace names = new();
        foreach ((string name, object? value) in named)
            names.Entries[name] = value;
        return names;
    }

    private static List<object?> Range(IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        if (positional.Count is 0 or > 3 || positional.Any(value => value is not long))
            throw new ChatTemplateException("'range' takes one to three integers.");
        (long start, long end, long step) = positional.Count == 1 ? (0, (long)positional[0]!, 1) : ((long)positional[0]!, (long)positional[1]!, positional.Count > 2 ? (long)positional[2]! : 1);
        if (step == 0 || Math.Abs((double)end - start) / Math.Abs((double)step) > TemplateLimits.Items)
            throw new ChatTemplateException($"'range' of {start} to {end} by {step}; at most {TemplateLimits.Items} steps, not of 0, were expected.");
        List<object?> items = [];
        for (long i = start; step > 0 ? i < end : i > end; i += step)
            items.Add(i);
        return items;
    }
}
