using System.Collections.Frozen;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>FedIT: the weighted mean of every tensor; of LoRA, Abar = sum_k p_k A_k and Bbar = sum_k p_k B_k.</summary>
/// <remarks>
/// Source: Zhang et al., "Towards Building the Federated GPT: Federated Instruction Tuning", ICASSP 2024, arXiv:2305.05644; on tensors that are
/// no LoRA factors it is FedAvg (McMahan et al. 2017, arXiv:1602.05629).
/// The product Bbar Abar differs from the mean of the products by sum_k p_k (B_k - Bbar)(A_k - Abar): see <see cref="LoraFair"/>.
/// Sums are taken in float64 in the order of the sites and rounded to float32 once. State: none. Memory: one tile a thread.
/// One rank and one scaling for all: a factor of another rank or scaling has no meaning in a mean of factors, and is refused.
/// </remarks>
public sealed class FedIt : IAggregationRule
{
    /// <inheritdoc/>
    public string Name => AggregationRules.FedIt;

    /// <inheritdoc/>
    public AggregationResult Aggregate(AggregationRound round, Stream output, CancellationToken cancellation)
    {
        RefuseOtherScaling(round);
        using SafetensorsWriter writer = AdapterLayout.OpenWriter(round, output);
        FoldPipeline.Run([.. writer.Tensors.SelectMany(tensor => WeightedMean.Steps(round, tensor))], writer, round.Threads, cancellation);
        writer.Complete();
        return new(FrozenDictionary<string, double>.Empty, State: null);
    }

    private static void RefuseOtherScaling(AggregationRound round)
    {
        foreach (AggregationUpdate update in round.Updates)
        {
            if (update.Scaling != round.Scaling)
            {
                throw new AggregationException(
                    $"Update of site '{update.Site}' was trained with scaling alpha / r = {update.Scaling}, the plan has {round.Scaling}; "
                    + $"'{AggregationRules.FedIt}' averages factors of one scaling only. '{AggregationRules.LoraFair}' takes several.", update.Site);
            }
        }
    }
}
