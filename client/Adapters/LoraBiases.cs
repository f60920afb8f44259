using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Adapters;

/// <summary>The base model's biases that train along with LoRA, and how PEFT stores them.</summary>
/// <remarks>
/// With bias <c>all</c> PEFT stores every parameter with "bias" in its name, those of saved modules in two copies besides (the trained one
/// and the original), which no loader reads: they are kept if a file has them, and not made otherwise. With <c>lora_only</c> PEFT trains
/// the adapted layers' biases but forgets to store them; this project stores them where any loader finds them, once they differ.
/// </remarks>
internal static class LoraBiases
{
    private const string TrainedCopy = ".modules_to_save.", OriginalCopy = ".original_module.";

    internal static AdapterParts Add(AdapterParts parts, PretrainedModel model, LoraConfig config, HashSet<string> targets, NamedTensors? stored)
    {
        (string Name, Parameter Value)[] biases = [.. model.Parameters.Where(parameter => IsTrained(parameter.Name, config, targets)).Select(bias => (NameOf(bias.Name, targets), bias.Value))];
        Dictionary<string, Parameter> whole = biases.Concat(AdapterTargets.SavedWhole(model, config)).DistinctBy(bias => bias.Name).ToDictionary(bias => bias.Name, bias => bias.Value, StringComparer.Ordinal);
        string[] copies = config.Bias == LoraBias.All ? [.. stored?.Names.Where(name => whole.ContainsKey(PlainName(name)) && !whole.ContainsKey(name)) ?? []] : [];
        string[] absent = config.Bias == LoraBias.LoraOnly ? [.. biases.Select(bias => bias.Name).Where(name => stored?.Contains(name) == false)] : [];
        Dictionary<string, float[]> untrained = absent.ToDictionary(name => name, name => whole[name].Floats().ToArray(), StringComparer.Ordinal);
        return parts with
        {
            Whole = biases,
            Optional = [.. copies.Select(name => (name, whole[PlainName(name)].shape)), .. absent.Select(name => (name, whole[name].shape))],
            Export = (settings, tensors) => (settings, Exported(tensors, copies, stored, untrained)),
        };
    }

    private static bool IsTrained(string parameter, LoraConfig config, HashSet<string> targets) =>
        config.Bias == LoraBias.All ? parameter.Contains("bias", StringComparison.Ordinal) : parameter.EndsWith(".bias", StringComparison.Ordinal) && targets.Contains(parameter[..^".bias".Length]);

    private static string NameOf(string parameter, HashSet<string> targets)
    {
        int dot = parameter.LastIndexOf('.');
        (string module, string name) = (parameter[..dot], parameter[(dot + 1)..]);
        return targets.Contains(module) ? PeftNames.Format(new(module, PeftPart.BaseBias)) : PeftNames.Whole(module, name);
    }

    private static string PlainName(string name) => name.Replace(TrainedCopy, ".", StringComparison.Ordinal).Replace(OriginalCopy, ".", StringComparison.Ordinal);

    private static NamedTensors Exported(NamedTensors tensors, string[] copies, NamedTensors? stored, Dictionary<string, float[]> untrained)
    {
        NamedTensors exported = new();
        foreach (string name in tensors.Names.Where(name => !(untrained.TryGetValue(name, out float[]? before) && tensors[name].AsSpan().SequenceEqual(before))))
            exported.Add(name, tensors.Shape(name), tensors[name]);
        foreach (string copy in copies)
            exported.Add(copy, stored!.Shape(copy), copy.Contains(TrainedCopy, StringComparison.Ordinal) ? [.. tensors[PlainName(copy)]] : [.. stored[copy]]);
        return exported;
    }
}
