using Federated.Shared.Randomness;

namespace Federated.Shared.Tests.Randomness;

public sealed class SplitMix64Tests
{
    [Fact]
    public void NextUInt64_Seed1234567_GivesTheNumbersOfTheReference()
    {
        // The first five of Vigna's splitmix64.c.
        ulong[] expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        SplitMix64 random = new(1234567);
        Assert.Equal(expected, Enumerable.Range(0, 5).Select(_ => random.NextUInt64()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public void NextInt32_ManyDraws_AreEvenlySpread(int bound)
    {
        const int Draws = 70_000;
        SplitMix64 random = new(5);
        int[] counts = new int[bound];
        for (int i = 0; i < Draws; i++)
            counts[random.NextInt32(bound)]++;

        // Five standard deviations of a binomial count.
        double expected = (double)Draws / bound;
        double allowance = 5 * Math.Sqrt(expected);
        Assert.All(counts, count => Assert.InRange(count, expected - allowance, expected + allowance));
    }

    [Fact]
    public void NextInt32_BoundBelowOne_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new SplitMix64(1).NextInt32(0));

    [Fact]
    public void NextNormal_ManyDraws_HaveMeanZeroAndVarianceOne()
    {
        const int Draws = 100_000;
        SplitMix64 random = new(9);
        double[] values = [.. Enumerable.Range(0, Draws).Select(_ => random.NextNormal())];
        Assert.InRange(values.Average(), -5 / Math.Sqrt(Draws), 5 / Math.Sqrt(Draws));
        Assert.InRange(values.Average(value => value * value), 0.97, 1.03);
    }

    [Fact]
    public void NextOpenDouble_ManyDraws_StayInsideTheInterval()
    {
        SplitMix64 random = new(2);
        Assert.All(Enumerable.Range(0, 10_000).Select(_ => random.NextOpenDouble()), value => Assert.True(value is > 0 and < 1));
    }

    [Fact]
    public void Shuffle_AnyItems_KeepsThemAll()
    {
        int[] items = [.. Enumerable.Range(0, 100)];
        new SplitMix64(3).Shuffle(items.AsSpan());
        Assert.NotEqual(Enumerable.Range(0, 100), items);
        Assert.Equal(Enumerable.Range(0, 100), items.Order());
    }
}
