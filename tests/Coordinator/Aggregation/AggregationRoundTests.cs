using Federated.Coordinator.Aggregation;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Tests.Aggregation;

public sealed class AggregationRoundTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("federated-round-");
    private readonly SafetensorsFile _file;

    public AggregationRoundTests()
    {
        string path = Path.Combine(_folder.FullName, "x.safetensors");
        new NamedTensors().Save(path);
        _file = SafetensorsFile.Open(path);
    }

    [Fact]
    public void Constructor_Updates_AreInOrderOfSitesWithWeightsThatSumToOne()
    {
        AggregationRound round = Round(("b", 3, 1), ("a", 1, 1), ("B", 4, 1));
        Assert.Equal(["B", "a", "b"], round.Updates.Select(u => u.Site));
        Assert.Equal([0.5, 0.125, 0.375], round.Weights.ToArray());
    }

    [Fact]
    public void Constructor_NoUpdates_IsRefused() => Assert.Throws<AggregationException>(() => Round());

    [Fact]
    public void Constructor_SiteTwice_IsRefused() =>
        Assert.Equal("a", Assert.Throws<AggregationException>(() => Round(("a", 1, 1), ("b", 1, 1), ("a", 1, 1))).Site);

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Constructor_WeightOrScalingNotPositiveAndFinite_IsRefused(double bad)
    {
        Assert.Equal("b", Assert.Throws<AggregationException>(() => Round(("a", 1, 1), ("b", bad, 1))).Site);
        Assert.Equal("b", Assert.Throws<AggregationException>(() => Round(("a", 1, 1), ("b", 1, bad))).Site);
        Assert.Throws<AggregationException>(() => new AggregationRound(1, bad, _file, [new("a", 1, 1, _file)]));
    }

    [Fact]
    public void Constructor_WeightsWhoseSumOverflows_IsRefused() =>
        Assert.Throws<AggregationException>(() => Round(("a", double.MaxValue, 1), ("b", double.MaxValue, 1)));

    public void Dispose()
    {
        _file.Dispose();
        _folder.Delete(recursive: true);
    }

    private AggregationRound Round(params (string Site, double Weight, double Scaling)[] updates) =>
        new(1, 1, _file, updates.Select(u => new AggregationUpdate(u.Site, u.Weight, u.Scaling, _file)));
}
