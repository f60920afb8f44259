using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>The plain weighted mean of one tensor (FedAvg), in tiles that stay in a core's cache while all updates go by.</summary>
internal static class WeightedMean
{
    /// <summary>Values in a tile: long enough that a read costs little beside its bytes, short enough for the second-level cache.</summary>
    public const int TileElements = 64 * 1024;

    /// <summary>The steps that compute one tensor of the next adapter.</summary>
    /// <exception cref="AggregationException">An update lacks the tensor or has another shape.</exception>
    public static IEnumerable<FoldStep> Steps(AggregationRound round, TensorInfo global)
    {
        CohortTensor tensor = new CohortTensor(round, global).RequireSameShape();
        for (long first = 0; first < global.ElementCount; first += TileElements)
            yield return new Tile(tensor, first, (int)Math.Min(TileElements, global.ElementCount - first));
    }

    private sealed class Tile(CohortTensor tensor, long first, int length) : FoldStep
    {
        public override void Compute(FoldScratch scratch, CancellationToken cancellation)
        {
            Span<double> mean = scratch.Doubles(0, length);
            Span<float> values = scratch.Floats(0, length);
            tensor.Mean(first, mean, values);
            FoldKernels.Round(mean, values);
            tensor.RequireFinite(first, values);
        }

        public override void Write(SafetensorsWriter writer, FoldScratch scratch) =>
            writer.WriteTensor(tensor.Global.Name, scratch.Floats(0, length));
    }
}
