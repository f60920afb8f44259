using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>LoRA and what PEFT keeps under its name, on a model.</summary>
internal static class LoraMethod
{
    internal static AdapterParts Parts(PretrainedModel model, LoraConfig config, NamedTensors? stored)
    {
        Dictionary<string, ResidualAdapter> residuals = new(StringComparer.Ordinal);
        (string Name, nn.Module Module)[] targets = [.. AdapterTargets.Select(model, config)];
        AdapterParts parts = new() { Layers = [.. targets.Select(target => Layer(config, target.Name, target.Module, residuals))] };
        if (PrincipalFactors.Take(config.InitLoraWeights))
            parts = parts with { ForUntouchedBase = (own, tensors) => UntouchedBase.Convert((LoraConfig)own, tensors, residuals) };
        return config.Bias == LoraBias.None ? parts : LoraBiases.Add(parts, model, config, [.. targets.Select(target => target.Name)], stored);
    }

    private static AdapterLayer Layer(LoraConfig config, string name, nn.Module module, Dictionary<string, ResidualAdapter> residuals)
    {
        LoraSettings settings = new(config.RankOf(name), config.ScalingOf(name), config.Dropout, config.InitLoraWeights);
        if (PrincipalFactors.Take(settings.Start))
            return Residual(name, module, config.UseDora, settings, residuals);

        return module switch
        {
            Projection layer when config.UseDora => new(name, DoraAdapter.Tensors(layer, settings.Rank), own => new DoraAdapter(own[0], own[1], own[2], settings)),
            Projection layer => new(name, LoraAdapter.Tensors(layer, settings.Rank), own => new LoraAdapter(own[0], own[1], settings)),
            TokenEmbedding table => new(
                name, LoraEmbedding.Tensors(table, settings.Rank, config.UseDora), own => new LoraEmbedding(own[0], own[1], own.ElementAtOrDefault(2), settings)),
            _ => throw new PeftFormatException($"target_modules selects '{name}', which is neither linear, embedding nor convolution."),
        };
    }

    private static AdapterLayer Residual(string name, nn.Module module, bool dora, LoraSettings settings, Dictionary<string, ResidualAdapter> residuals)
    {
        if (module is not Projection layer)
            throw new PeftFormatException($"target_modules selects '{name}', which is no linear layer: init_lora_weights '{settings.Start}' takes its part of no other.");
        if (settings.Rank > Math.Min(layer.Inputs, layer.Outputs))
            throw new PeftFormatException($"The rank of '{name}' ({layer.Outputs}, {layer.Inputs}) is {settings.Rank}: init_lora_weights '{settings.Start}' takes at most {Math.Min(layer.Inputs, layer.Outputs)}.");

        return new(name, dora ? DoraAdapter.Tensors(layer, settings.Rank) : LoraAdapter.Tensors(layer, settings.Rank), own =>
        {
            ILinearAdapter inner = dora ? new DoraAdapter(own[0], own[1], own[2], settings) : new LoraAdapter(own[0], own[1], settings);
            return residuals[name] = new(inner, own[0], own[1], settings);
        });
    }
}

/// <summary>What a layer's factors need to know.</summary>
/// <param name="Rank">r, at least 1.</param>
/// <param name="Scale">s, the factor before B·A.</param>
/// <param name="Dropout">Share of the input dropped in training, in [0, 1).</param>
/// <param name="Start">How a new adapter starts, as <c>init_lora_weights</c> names it.</param>
public sealed record LoraSettings(int Rank, double Scale, double Dropout = 0, string Start = LoraConfig.DefaultInit);
