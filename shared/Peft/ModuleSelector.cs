namespace Federated.Shared.Peft;

/// <summary>A choice of modules as PEFT writes it: names, a regular expression, or <c>all-linear</c>.</summary>
public sealed class ModuleSelector
{
    /// <summary>The word that stands for every linear module but the output head.</summary>
    public const string AllLinearName = "all-linear";

    private readonly ModulePattern? _compiled;

    private ModuleSelector(IReadOnlyList<string>? names, string? pattern, ModulePattern? compiled)
    {
        Names = names;
        Pattern = pattern;
        _compiled = compiled;
    }

    /// <summary>Every linear module except the output head and modules that are saved whole.</summary>
    public static ModuleSelector AllLinear { get; } = new(null, AllLinearName, null);

    /// <summary>No module.</summary>
    public static ModuleSelector None { get; } = new([], null, null);

    /// <summary>The names, if it is a list of names.</summary>
    public IReadOnlyList<string>? Names { get; }

    /// <summary>The regular expression or <c>all-linear</c>, if it is no list.</summary>
    public string? Pattern { get; }

    /// <summary>Whether it is <c>all-linear</c>.</summary>
    public bool IsAllLinear => ReferenceEquals(this, AllLinear);

    /// <summary>Chooses modules by name: the whole name, or its end after a dot.</summary>
    /// <param name="names">At least one, for example <c>q_proj</c>.</param>
    /// <exception cref="ArgumentException">No names, or an empty one.</exception>
    public static ModuleSelector OfNames(params IReadOnlyList<string> names) =>
        names.Count == 0 || names.Any(string.IsNullOrEmpty)
            ? throw new ArgumentException("A list of modules needs at least one name, and no empty one.", nameof(names))
            : new([.. names], null, null);

    /// <summary>Chooses modules by a regular expression over the whole name; the text <c>all-linear</c> gives <see cref="AllLinear"/>.</summary>
    /// <param name="pattern">Regular expression.</param>
    /// <exception cref="PeftFormatException">Not a regular expression.</exception>
    public static ModuleSelector OfPattern(string pattern) =>
        pattern == AllLinearName ? AllLinear : new(null, pattern, ModulePattern.Whole(pattern));

    /// <summary>Whether the selector names a module; for <see cref="AllLinear"/> always, since it asks for the module's kind instead.</summary>
    /// <param name="module">Full module name, for example <c>model.layers.0.self_attn.q_proj</c>.</param>
    /// <exception cref="PeftFormatException">The expression takes too long on this name.</exception>
    public bool Matches(string module)
    {
        if (Names is null)
            return _compiled?.Matches(module) ?? true;

        return NamesExactly(module) || Names.Any(name => module.EndsWith("." + name, StringComparison.Ordinal));
    }

    /// <summary>Whether a module's full name stands in the list: then it is chosen whatever its layer.</summary>
    internal bool NamesExactly(string module) => Names is not null && Names.Contains(module, StringComparer.Ordinal);
}
