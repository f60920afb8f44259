using Federated.Shared.Randomness;
using Federated.Simulations.Partitioners;

namespace Federated.EndToEnd.Tests.Data;

public sealed class DirichletPartitionerTests
{
    private static readonly string[] Groups = [.. Enumerable.Range(0, 1000).Select(i => i % 4 == 0 ? "spam" : "ham")];

    [Fact]
    public void Partition_AnySeed_PutsEverySampleIntoExactlyOneClient()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            IReadOnlyList<int[]> parts = DirichletPartitioner.Partition(Groups, new() { Alpha = 0.3, Clients = 7, MinSize = 5, Seed = seed });
            Assert.Equal(7, parts.Count);
            Assert.All(parts, part => Assert.True(part.Length >= 5));
            Assert.Equal(Enumerable.Range(0, 1000), parts.SelectMany(part => part).Order());
        }
    }

    [Fact]
    public void Partition_SameSeed_IsTheSameAndAnotherIsNot()
    {
        DirichletOptions options = new() { Seed = 11 };
        Assert.Equal(DirichletPartitioner.Partition(Groups, options), DirichletPartitioner.Partition(Groups, options));
        Assert.NotEqual(DirichletPartitioner.Partition(Groups, options), DirichletPartitioner.Partition(Groups, options with { Seed = 12 }));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(5)]
    public void Shares_ManyDraws_HaveTheMomentsOfTheDistribution(double alpha)
    {
        // Symmetric Dirichlet over K: mean 1/K, variance (K - 1) / (K² (Kα + 1)).
        const int Count = 5;
        const int Draws = 40_000;
        SplitMix64 random = new(3);
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < Draws; i++)
        {
            double[] shares = DirichletPartitioner.Shares(alpha, Count, random);
            Assert.Equal(1, shares.Sum(), 1e-12);
            sum += shares[0];
            squares += shares[0] * shares[0];
        }

        double mean = sum / Draws;
        double variance = (Count - 1) / (Count * Count * ((Count * alpha) + 1));
        double standardError = Math.Sqrt(variance / Draws);
        Assert.InRange(mean, 0.2 - (5 * standardError), 0.2 + (5 * standardError));
        Assert.InRange((squares / Draws) - (mean * mean), variance * 0.95, variance * 1.05);
    }

    [Fact]
    public void Shares_TinyAlpha_GivesOneClientAllAndNoNaN()
    {
        double[] shares = DirichletPartitioner.Shares(1e-4, 10, new SplitMix64(1));
        Assert.Equal(1, shares.Max(), 1e-9);
        Assert.Equal(1, shares.Sum(), 1e-12);
    }

    [Fact]
    public void Partition_LargeAlpha_IsNearlyEven() =>
        Assert.All(DirichletPartitioner.Partition(Groups, new() { Alpha = 1e5, Clients = 4 }), part => Assert.InRange(part.Length, 240, 260));

    [Theory]
    [InlineData(0, 4, 1, "alpha is 0")]
    [InlineData(double.NaN, 4, 1, "alpha is NaN")]
    [InlineData(1, 0, 1, "clients is 0")]
    [InlineData(1, 4, -1, "min-size is -1")]
    [InlineData(1, 4, 251, "Lower --clients or --min-size")]
    public void Partition_WrongOption_IsNamed(double alpha, int clients, int minSize, string expected)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => DirichletPartitioner.Partition(Groups, new() { Alpha = alpha, Clients = clients, MinSize = minSize }));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Partition_MinimumOutOfReach_GivesUpWithAdvice()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(
            () => DirichletPartitioner.Partition(Groups, new() { Alpha = 1e-3, Clients = 20, MinSize = 40 }));
        Assert.Contains("Raise --alpha", error.Message, StringComparison.Ordinal);
    }
}
