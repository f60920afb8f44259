using Federated.Coordinator.Aggregation;
using Federated.Shared.Tensors;
using Federated.Tests.Support;

namespace Federated.Coordinator.Tests.Aggregation;

public sealed class LoraPairTests
{
    [Theory]
    [InlineData(1, 8, 1 << 28)]
    [InlineData(1, 1 << 28, 8)]
    [InlineData(1L << 40, 1, 1)]
    [InlineData(1, 1L << 40, 1)]
    [InlineData(1, 1, 1L << 40)]
    [InlineData(9, (1 << 26) + 8, 16)]
    public void Constructor_FactorsThatOutgrowABufferOncePadded_AreRefused(long rank, long inputs, long outputs)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "x.safetensors");
        Cohort.Adapter(new double[1, 1], new double[1, 1]).Save(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        AggregationRound round = new(1, 1, file, [new("site", 1, 1, file)]);
        AggregationException error = Assert.Throws<AggregationException>(
            () => new LoraPair(round, Cohort.Layer, TensorInfo.Declare(Cohort.A, DType.F32, rank, inputs), TensorInfo.Declare(Cohort.B, DType.F32, outputs, rank)));
        Assert.Contains("rounded up to multiples of 8", error.Message, StringComparison.Ordinal);
    }
}
