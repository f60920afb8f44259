using System.Globalization;

namespace Federated.Shared.Peft;

/// <summary>What a module of the base model is, as far as adapters ask.</summary>
public enum ModuleKind
{
    /// <summary>A linear layer, however its weight is stored.</summary>
    Linear,

    /// <summary>An embedding table.</summary>
    Embedding,

    /// <summary>A two-dimensional convolution.</summary>
    Convolution,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>A module of the base model.</summary>
/// <param name="Name">Full name, for example <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Kind">What it is.</param>
/// <param name="IsHead">Whether it gives the model's output; <c>all-linear</c> leaves it out.</param>
public sealed record ModuleSite(string Name, ModuleKind Kind, bool IsHead = false);

/// <summary>Which modules of a model an adapter changes; PEFT's rules.</summary>
/// <remarks>
/// Source: huggingface/peft, module selection in its tuner base. A list matches a whole name or its end after a dot; a text is a regular
/// expression over the whole name. Exclusion goes first. layers_to_transform restricts matches by the end of a name, not exact ones.
/// </remarks>
public static class PeftTargets
{
    /// <summary>Selects the modules that are adapted, in the order given.</summary>
    /// <param name="config">The adapter's settings.</param>
    /// <param name="modules">All modules of the base model.</param>
    /// <exception cref="PeftFormatException">None is selected, or one that is also saved whole.</exception>
    public static IReadOnlyList<ModuleSite> Select(PeftConfig config, IEnumerable<ModuleSite> modules)
    {
        ModuleSite[] all = [.. modules], targets = [.. all.Where(module => IsTarget(config, module))];
        if (targets.FirstOrDefault(module => config.IsSavedWhole(module.Name)) is { } both)
            throw new PeftFormatException($"'{both.Name}' is selected by target_modules and by modules_to_save; one of them must let it go.");

        return targets.Length > 0
            ? targets
            : throw new PeftFormatException(
                $"target_modules ({config.TargetModules.Pattern ?? string.Join(", ", config.TargetModules.Names!)}) selects no module. " +
                $"The model's linear modules end with: {string.Join(", ", all.Where(m => m.Kind == ModuleKind.Linear).Select(LastName).Distinct().Take(30))}.");
    }

    /// <summary>Whether a module is adapted.</summary>
    /// <param name="config">The adapter's settings.</param>
    /// <param name="module">A module of the base model.</param>
    public static bool IsTarget(PeftConfig config, ModuleSite module)
    {
        if (config.ExcludeModules is { } excluded && (excluded.IsAllLinear ? module.Kind == ModuleKind.Linear : excluded.Matches(module.Name)))
            return false;

        ModuleSelector targets = config.TargetModules;
        if (targets.IsAllLinear)
            return module is { Kind: ModuleKind.Linear, IsHead: false } && !config.IsSavedWhole(module.Name);

        return targets.Matches(module.Name) && (targets.Names is null || targets.NamesExactly(module.Name) || IsInLayers(config, module.Name));
    }

    private static bool IsInLayers(PeftConfig config, string module)
    {
        if (config.LayersToTransform is not { } layers)
            return true;

        string?[] patterns = config.LayersPattern is { Count: > 0 } given ? [.. given] : [null];
        foreach (string? pattern in patterns)
        {
            if (ModulePattern.LayerIndex(pattern).FindIndex(module) is { } index)
                return int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) && layers.Contains(layer);
        }

        return false;
    }

    private static string LastName(ModuleSite module) => module.Name[(module.Name.LastIndexOf('.') + 1)..];
}
