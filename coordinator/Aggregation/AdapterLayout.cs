using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>What the tensors of a round must look like, for rules whose next adapter has the tensors of the last one.</summary>
internal static class AdapterLayout
{
    /// <summary>Opens the writer of the next adapter: the global adapter's tensors in float32.</summary>
    /// <param name="round">The round.</param>
    /// <param name="output">Left open.</param>
    /// <exception cref="AggregationException">An update has tensors that the global adapter lacks.</exception>
    public static SafetensorsWriter OpenWriter(AggregationRound round, Stream output)
    {
        foreach (AggregationUpdate update in round.Updates)
        {
            int surplus = update.Tensors.Tensors.Count(tensor => !round.Global.TryGetInfo(tensor.Name, out _));
            if (surplus > 0)
            {
                throw new AggregationException(
                    $"Update of site '{update.Site}' has {surplus} tensors that the global adapter lacks. "
                    + "The site trains another adapter: compare its configuration with the round's plan.", update.Site);
            }
        }

        return new(
            output,
            round.Global.Tensors.Select(tensor => TensorInfo.Declare(tensor.Name, DType.F32, tensor.Shape)),
            SafetensorsWriter.PyTorchMetadata,
            leaveOpen: true);
    }
}
