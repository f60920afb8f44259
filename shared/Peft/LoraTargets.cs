namespace Federated.Shared.Peft;

/// <summary>A module that gets factors.</summary>
/// <param name="Module">The module.</param>
/// <param name="Rank">Rank r of its factors.</param>
/// <param name="Scaling">The factor before B·A.</param>
public sealed record LoraTarget(ModuleSite Module, int Rank, double Scaling);

/// <summary>The modules that get factors; see <see cref="PeftTargets"/>.</summary>
public static class LoraTargets
{
    /// <summary>Selects the modules that get factors, in the order given.</summary>
    /// <param name="config">The adapter's settings.</param>
    /// <param name="modules">All modules of the base model.</param>
    /// <exception cref="PeftFormatException">None is selected, or one that cannot have factors, or one that is also saved whole.</exception>
    public static IReadOnlyList<LoraTarget> Resolve(LoraConfig config, IEnumerable<ModuleSite> modules)
    {
        IReadOnlyList<ModuleSite> targets = PeftTargets.Select(config, modules);
        return targets.FirstOrDefault(module => module.Kind == ModuleKind.Other) is { } wrong
            ? throw new PeftFormatException($"target_modules selects '{wrong.Name}', which is neither linear, embedding nor convolution.")
            : [.. targets.Select(module => new LoraTarget(module, config.RankOf(module.Name), config.ScalingOf(module.Name)))];
    }
}
