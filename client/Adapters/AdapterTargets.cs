using Federated.Client.Models;
using Federated.Shared.Peft;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>The layers of a model that an adapter's settings choose.</summary>
internal static class AdapterTargets
{
    /// <summary>The chosen layers, of whatever kind.</summary>
    /// <exception cref="PeftFormatException">None is chosen, or one that is also saved whole.</exception>
    internal static IReadOnlyList<(string Name, nn.Module Module)> Select(PretrainedModel model, PeftConfig config)
    {
        Dictionary<string, nn.Module> modules = model.named_modules().ToDictionary(entry => entry.name, entry => entry.module, StringComparer.Ordinal);
        return [.. PeftTargets.Select(config, Sites(model)).Select(site => (site.Name, modules[site.Name]))];
    }

    /// <summary>The chosen layers, which must all be linear; convolutions over patches are.</summary>
    /// <exception cref="PeftFormatException">None is chosen, or one that is not linear or also saved whole.</exception>
    internal static IReadOnlyList<(string Name, Projection Layer)> Linear(PretrainedModel model, PeftConfig config) =>
        [.. Select(model, config).Select(target => (target.Name, target.Module as Projection ?? throw new PeftFormatException(
            $"target_modules selects '{target.Name}', which is no linear layer: {config.PeftType} adapts no other.")))];

    /// <summary>The parameters that train and are stored whole by <see cref="PeftConfig.ModulesToSave"/>, under their names in the PEFT file.</summary>
    internal static IEnumerable<(string Name, Parameter Value)> SavedWhole(PretrainedModel model, PeftConfig config)
    {
        foreach ((string name, Parameter value) in model.Parameters)
        {
            int dot = name.LastIndexOf('.');
            if (config.IsSavedWhole(name[..Math.Max(dot, 0)]))
                yield return (PeftNames.Whole(name[..dot], name[(dot + 1)..]), value);
        }
    }

    private static IEnumerable<ModuleSite> Sites(PretrainedModel model)
    {
        string[] heads = [.. model.Head.Modules.Select(module => module.Name)];
        foreach ((string name, nn.Module module) in model.named_modules())
        {
            ModuleKind kind = module switch
            {
                Projection { Layout: WeightLayout.Patches } => ModuleKind.Convolution,
                Projection => ModuleKind.Linear,
                TokenEmbedding => ModuleKind.Embedding,
                _ => ModuleKind.Other,
            };
            yield return new(name, kind, heads.Any(head => name == head || name.StartsWith(head + ".", StringComparison.Ordinal)));
        }
    }
}
