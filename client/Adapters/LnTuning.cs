using Federated.Client.Models;
using Federated.Shared.Peft;

namespace Federated.Client.Adapters;

/// <summary>LN tuning: the parameters of the chosen norms train whole and are stored whole.</summary>
/// <remarks>Source: Zhao et al. 2023, arXiv:2312.11420; stored under <c>ln_tuning_layers</c> as by Hugging Face PEFT, which trains a copy of the module.</remarks>
internal static class LnTuning
{
    internal static AdapterParts Parts(PretrainedModel model, LnTuningConfig config)
    {
        string[] targets = [.. AdapterTargets.Select(model, config).Select(target => target.Name + ".")];
        return new()
        {
            Whole =
            [
                .. from parameter in model.Parameters
                   let target = targets.FirstOrDefault(target => parameter.Name.StartsWith(target, StringComparison.Ordinal))
                   where target is not null
                   select (PeftNames.Whole(target + "ln_tuning_layers", parameter.Name[target.Length..]), parameter.Value),
            ],
        };
    }
}
