using Federated.Client.Models;
using Federated.Shared.Peft;

namespace Federated.Client.Adapters;

/// <summary>LoRA and what PEFT keeps under its name, on a model.</summary>
internal static class LoraMethod
{
    internal static AdapterParts Parts(PretrainedModel model, LoraConfig config)
    {
        List<string> unsupported = [];
        if (config.UseDora)
            unsupported.Add("use_dora: DoRA");
        if (config.Bias != LoraBias.None)
            unsupported.Add($"bias: {config.Bias}");
        if (!LoraAdapter.Initialisers.Contains(config.InitLoraWeights))
            unsupported.Add($"init_lora_weights: '{config.InitLoraWeights}' changes the base weights");
        if (unsupported.Count > 0)
            throw new PeftFormatException($"The adapter asks for what is not supported: {string.Join("; ", unsupported)}.");

        return new() { Layers = [.. AdapterTargets.Linear(model, config).Select(target => Layer(config, target.Name, target.Layer))] };
    }

    private static AdapterLayer Layer(LoraConfig config, string name, Projection layer)
    {
        double scale = config.ScalingOf(name);
        return new(name, LoraAdapter.Tensors(layer, config.RankOf(name)), factors => new LoraAdapter(factors[0], factors[1], scale, config.Dropout, config.InitLoraWeights));
    }
}
