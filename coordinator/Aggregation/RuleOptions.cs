using System.Globalization;

namespace Federated.Coordinator.Aggregation;

/// <summary>Reads the options of a rule from a run's description; every wrong one is collected, none is ignored.</summary>
/// <param name="path">Where the options stand in the description, for messages, for example <c>method</c>.</param>
/// <param name="values">Options as text, by name.</param>
/// <param name="errors">Receives one sentence for each wrong option.</param>
public sealed class RuleOptions(string path, IReadOnlyDictionary<string, string> values, ICollection<string> errors)
{
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>A number, <paramref name="fallback"/> when it is not given or wrong.</summary>
    /// <param name="name">Name of the option.</param>
    /// <param name="fallback">Default.</param>
    /// <param name="minimum">Smallest value allowed.</param>
    /// <param name="maximum">Largest value allowed.</param>
    public double Number(string name, double fallback, double minimum, double maximum)
    {
        _known.Add(name);
        if (!values.TryGetValue(name, out string? text))
            return fallback;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= minimum && value <= maximum)
            return value;

        errors.Add(string.Create(CultureInfo.InvariantCulture,
            $"{path}.{name} is '{text}'; a number from {minimum:R} to {maximum:R} was expected (default {fallback:R})."));
        return fallback;
    }

    /// <summary>One word of a list, the first of them when it is not given or wrong.</summary>
    /// <param name="name">Name of the option.</param>
    /// <param name="choices">Words allowed, the default first.</param>
    public string Choice(string name, params ReadOnlySpan<string> choices)
    {
        _known.Add(name);
        if (!values.TryGetValue(name, out string? text) || choices.Contains(text))
            return text ?? choices[0];

        errors.Add($"{path}.{name} is '{text}'; one of {string.Join(", ", choices.ToArray())} was expected (default {choices[0]}).");
        return choices[0];
    }

    /// <summary>Adds an error for each option that nobody asked for: a misspelt one must not pass in silence.</summary>
    internal void RefuseUnknown(string rule)
    {
        string known = _known.Count == 0 ? "it has no options" : $"its options: {string.Join(", ", _known)}";
        foreach (string name in values.Keys.Where(name => !_known.Contains(name)).Order(StringComparer.Ordinal))
            errors.Add($"{path}.{name} is no option of '{rule}'; {known}.");
    }
}
