using System.Collections.Frozen;
using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;

namespace Federated.Client.Adapters;

/// <summary>What each kind of adapter puts on a model, by <c>peft_type</c>: a new one is one file and one line here.</summary>
internal static class AdapterMethods
{
    private static readonly FrozenDictionary<string, Func<PretrainedModel, PeftConfig, NamedTensors?, AdapterParts>> Known =
        new Dictionary<string, Func<PretrainedModel, PeftConfig, NamedTensors?, AdapterParts>>(StringComparer.Ordinal)
        {
            [AdaLoraConfig.Kind] = (model, config, _) => AdaLoraAdapter.Parts(model, (AdaLoraConfig)config),
            [BoftConfig.Kind] = (model, config, stored) => BoftAdapter.Parts(model, (BoftConfig)config, stored),
            [FourierFtConfig.Kind] = (model, config, _) => FourierFtAdapter.Parts(model, (FourierFtConfig)config),
            [HraConfig.Kind] = (model, config, _) => HraAdapter.Parts(model, (HraConfig)config),
            [Ia3Config.Kind] = (model, config, _) => Ia3Adapter.Parts(model, (Ia3Config)config),
            [LnTuningConfig.Kind] = (model, config, _) => LnTuning.Parts(model, (LnTuningConfig)config),
            [LohaConfig.Kind] = (model, config, _) => LohaAdapter.Parts(model, (LohaConfig)config),
            [LokrConfig.Kind] = (model, config, _) => LokrAdapter.Parts(model, (LokrConfig)config),
            [LoraConfig.Kind] = (model, config, stored) => LoraMethod.Parts(model, (LoraConfig)config, stored),
            [OftConfig.Kind] = (model, config, _) => OftAdapter.Parts(model, (OftConfig)config),
            [PTuningConfig.Kind] = (model, config, stored) => PromptMethod.Parts(model, (PTuningConfig)config, stored),
            [PrefixTuningConfig.Kind] = (model, config, stored) => PrefixMethod.Parts(model, (PrefixTuningConfig)config, stored),
            [PromptTuningConfig.Kind] = (model, config, stored) => PromptMethod.Parts(model, (PromptTuningConfig)config, stored),
            [VbLoraConfig.Kind] = (model, config, _) => VbLoraAdapter.Parts(model, (VbLoraConfig)config),
            [VeraConfig.Kind] = (model, config, _) => VeraAdapter.Parts(model, (VeraConfig)config),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What a configuration puts on a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="stored">The tensors it is going to be filled with; null for a new adapter.</param>
    /// <exception cref="PeftFormatException">The configuration does not fit the model, or asks for what is not supported.</exception>
    internal static AdapterParts Parts(PretrainedModel model, PeftConfig config, NamedTensors? stored) => Known.TryGetValue(config.PeftType, out var parts)
        ? parts(model, config, stored)
        : throw new PeftFormatException($"Adapters of the kind {config.PeftType} cannot be put on a model here; known are {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))}.");
}
