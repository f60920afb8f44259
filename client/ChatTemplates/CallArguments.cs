namespace Federated.Client.ChatTemplates;

/// <summary>What a filter, test or method was given.</summary>
internal sealed record CallArguments(IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)
{
    /// <summary>The argument at a place or under a name; null when it was not given.</summary>
    internal object? Find(int? place, string? name) =>
        place is { } at && at < Positional.Count ? Positional[at] : name is not null && Named.TryGetValue(name, out object? value) ? value : null;

    /// <summary>The same as text.</summary>
    internal string? Text(int place, string? name, string? otherwise) => Find(place, name) switch
    {
        null => otherwise,
        string text => text,
        var other => throw new ChatTemplateException($"a string was expected, got {TemplateValue.Kind(other)}."),
    };

    /// <summary>Without the first ones.</summary>
    internal CallArguments From(int place) => this with { Positional = [.. Positional.Skip(place)] };
}
