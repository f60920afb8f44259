using Federated.Coordinator.Aggregation;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Tests.Aggregation;

/// <summary>What every rule promises, run on each by its name.</summary>
public class AggregationRuleContractTests
{
    private const string Head = "base_model.model.score.weight";
    private const string Step = "base_model.model.step";

    public static TheoryData<string> Rules => [.. AggregationRules.Default.Names];

    [Theory]
    [MemberData(nameof(Rules))]
    public void Create_EveryName_GivesTheRuleOfThatName(string name) => Assert.Equal(name, Cohort.Rule(name).Name);

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_OneUpdate_ReturnsIt(string name)
    {
        NamedTensors update = Update(1);
        using Cohort cohort = new Cohort().Add("only", 17, update);
        NamedTensors next = cohort.Fold(Cohort.Rule(name)).Next;
        Assert.Equal(update.Names.Order(StringComparer.Ordinal), next.Names);
        Assert.All(update.Names, tensor => Assert.Equal(update[tensor], next[tensor]));
        Assert.All(update.Names, tensor => Assert.Equal(update.Shape(tensor), next.Shape(tensor)));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_IdenticalUpdates_AreAFixedPoint(string name)
    {
        NamedTensors update = Update(1);
        using Cohort cohort = new();
        for (int k = 0; k < 7; k++)
            cohort.Add($"site-{k}", (3 * k) + 1, update);

        NamedTensors next = cohort.Fold(Cohort.Rule(name)).Next;
        Assert.All(update.Names, tensor => Assert.Equal(update[tensor], next[tensor]));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_AnyArrivalOrderAndThreads_GivesTheSameBits(string name)
    {
        using Cohort one = Sites(new Cohort { Threads = 1 }), many = Sites(new Cohort { Threads = 5 });
        (NamedTensors expected, AggregationResult first) = one.Fold(Cohort.Rule(name));
        (NamedTensors actual, AggregationResult second) = many.Fold(Cohort.Rule(name), reversed: true);
        Assert.True(expected.ContentEquals(actual));
        Assert.Equal(first.Diagnostics.OrderBy(d => d.Key), second.Diagnostics.OrderBy(d => d.Key));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_DoubledWeights_GivesTheSameBits(string name)
    {
        using Cohort plain = Sites(new Cohort()), doubled = Sites(new Cohort(), factor: 2);
        Assert.True(plain.Fold(Cohort.Rule(name)).Next.ContentEquals(doubled.Fold(Cohort.Rule(name)).Next));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_TensorsThatAreNoFactors_AreAveraged(string name)
    {
        using Cohort cohort = Sites(new Cohort());
        NamedTensors next = cohort.Fold(Cohort.Rule(name)).Next;
        float[][] heads = [.. Enumerable.Range(0, 5).Select(k => Update((ulong)k)[Head])];
        for (int i = 0; i < next[Head].Length; i += 997)
        {
            double expected = Enumerable.Range(0, 5).Sum(k => (k + 1) / 15.0 * heads[k][i]);
            Assert.Equal((float)expected, next[Head][i], 1e-7f);
        }

        Assert.Equal(Enumerable.Range(0, 5).Sum(k => (k + 1) / 15.0 * Update((ulong)k)[Step][0]), next[Step][0], 1e-6);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_ValueThatIsNotFinite_NamesSiteAndTensor(string name)
    {
        foreach ((string tensor, int at) in new[] { (Head, 70_000), (Cohort.A, 5), (Cohort.B, 3) })
        {
            foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                NamedTensors poisoned = Update(9);
                poisoned[tensor][at] = bad;
                using Cohort cohort = Sites(new Cohort()).Add("site-bad", 1, poisoned);
                AggregationException error = Assert.Throws<AggregationException>(() => cohort.Fold(Cohort.Rule(name)));
                Assert.Equal("site-bad", error.Site);
                Assert.Contains(tensor, error.Message, StringComparison.Ordinal);
                Assert.Contains($"element {at}", error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_TensorMissing_NamesSiteAndTensor(string name)
    {
        NamedTensors partial = Cohort.Adapter(Dense.Random(1, 2, 30), Dense.Random(2, 20, 2));
        using Cohort cohort = Sites(new Cohort()).Add("site-x", 1, partial);
        AggregationException error = Assert.Throws<AggregationException>(() => cohort.Fold(Cohort.Rule(name)));
        Assert.Equal("site-x", error.Site);
        Assert.Contains(Head, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_TensorSurplus_NamesTheSite(string name)
    {
        NamedTensors more = Update(9);
        more.Add("surplus", [1], [1]);
        using Cohort cohort = Sites(new Cohort()).Add("site-x", 1, more);
        Assert.Equal("site-x", Assert.Throws<AggregationException>(() => cohort.Fold(Cohort.Rule(name))).Site);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_AnotherShape_NamesSiteTensorAndShapes(string name)
    {
        NamedTensors other = Cohort.Adapter(Dense.Random(1, 2, 31), Dense.Random(2, 20, 2));
        other.Add(Head, [1000, 90], new float[90_000]);
        other.Add(Step, [], [1]);
        using Cohort cohort = Sites(new Cohort()).Add("site-x", 1, other);
        AggregationException error = Assert.Throws<AggregationException>(() => cohort.Fold(Cohort.Rule(name)));
        Assert.Equal("site-x", error.Site);
        Assert.Contains("(2, 31)", error.Message, StringComparison.Ordinal);
        Assert.Contains("(2, 30)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Aggregate_Cancelled_Stops(string name)
    {
        using Cohort cohort = Sites(new Cohort());
        Assert.ThrowsAny<OperationCanceledException>(() => cohort.Fold(Cohort.Rule(name), cancellation: new(canceled: true)));
    }

    // The head spans two tiles of a fold.
    private static NamedTensors Update(ulong seed)
    {
        NamedTensors tensors = Cohort.Adapter(Dense.Random(seed, 2, 30), Dense.Random(100 + seed, 20, 2));
        tensors.Add(Head, [1000, 90], [.. Dense.Random(200 + seed, 1000, 90).Cast<double>().Select(v => (float)v)]);
        tensors.Add(Step, [], [seed]);
        return tensors;
    }

    private static Cohort Sites(Cohort cohort, double factor = 1)
    {
        for (int k = 0; k < 5; k++)
            cohort.Add($"site-{k}", factor * (k + 1), Update((ulong)k));
        return cohort;
    }
}
