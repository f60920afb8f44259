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
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="patches">Whether the kind of adapter takes convolutions over patches.</param>
    /// <exception cref="PeftFormatException">None is chosen, or one that is not linear or also saved whole.</exception>
    internal static IReadOnlyList<(string Name, Projection Layer)> Linear(PretrainedModel model, PeftConfig config, bool patches = true) =>
        [.. Select(model, config).Select(target => (target.Name, target.Module is Projection layer && (patches || layer.Layout != WeightLayout.Patches) ? layer
            : throw new PeftFormatException($"target_modules selects '{target.Name}', which is no linear layer: {config.PeftType} adapts no other.")))];

    /// <summary>The parameters that train and are stored whole by <see cref="PeftConfig.ModulesToSave"/>, under their names in the PEFT file.</summary>
    internal static IEnumerable<(string Name, Parameter Value)> SavedWhole(PretrainedModel model, PeftConfig config)
    {
        foreach ((string name, Parameter value) in model.Parameters)
        {
            int dot = Math.Max(name.LastIndexOf('.'), 0);
            if (config.IsSavedWhole(name[..dot]) && !IsTiedTable(model, value))
                yield return (config.NameOfWhole(name[..dot], name[(dot + 1)..]), value);
        }
    }

    /// <summary>The token table, where it is to be saved whole but an output head is tied to it; see <see cref="TableCopy"/>.</summary>
    /// <exception cref="PeftFormatException">The head itself is to be saved whole, but is tied.</exception>
    internal static IEnumerable<AdapterLayer> TableCopies(PretrainedModel model, PeftConfig config)
    {
        const string Head = LanguageModelHead.Name;
        if (IsTiedTable(model, model.Backbone.TokenTable) && config.IsSavedWhole(Head))
            throw new PeftFormatException($"modules_to_save names {Head}, which in this {model.Config.ClassName} is the token table itself; save the table instead, or untie the checkpoint.");
        return model.named_modules()
            .Where(entry => entry.module is TokenEmbedding table && IsTiedTable(model, table.Weight) && config.IsSavedWhole(entry.name))
            .Select(entry => new AdapterLayer(entry.name, [TableCopy.Tensor((TokenEmbedding)entry.module)], own => new TableCopy(own[0])));
    }

    /// <summary>Whether a parameter is the token table, and the output head uses it too.</summary>
    internal static bool IsTiedTable(PretrainedModel model, Tensor? parameter) =>
        model.Head is (LanguageModelHead { IsTied: true } or MaskedLanguageModelHead) && parameter is not null && ReferenceEquals(parameter, model.Backbone.TokenTable);

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
