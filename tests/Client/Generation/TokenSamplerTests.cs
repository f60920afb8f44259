using Federated.Client.Generation;

namespace Federated.Client.Tests.Generation;

/// <summary>Which tokens are drawn, and how often.</summary>
public sealed class TokenSamplerTests
{
    // Probabilities 0.4, 0.3, 0.2, 0.1 in another order.
    private static readonly float[] Logits = [MathF.Log(0.2f), MathF.Log(0.4f), MathF.Log(0.1f), MathF.Log(0.3f)];

    [Fact]
    public void Greedy_TakesTheLikeliest_OfEqualOnesTheFirst()
    {
        Assert.Equal(1, new TokenSampler(new()).Next(Logits));
        Assert.Equal(2, new TokenSampler(new()).Next([0, 1, 5, 5]));
    }

    [Fact]
    public void Temperature1_DrawsAsTheModelSays() => AssertShares(new() { Temperature = 1 }, 0.2, 0.4, 0.1, 0.3);

    [Fact]
    public void Temperature_SharpensTheDistribution() =>
        // Squares of the probabilities, 0.04 : 0.16 : 0.01 : 0.09.
        AssertShares(new() { Temperature = 0.5 }, 4 / 30.0, 16 / 30.0, 1 / 30.0, 9 / 30.0);

    [Fact]
    public void TopK_LeavesTheLikeliestK() => AssertShares(new() { Temperature = 1, TopK = 2 }, 0, 4 / 7.0, 0, 3 / 7.0);

    [Theory]
    [InlineData(0.39, 0, 1, 0)]
    [InlineData(0.41, 0, 4 / 7.0, 3 / 7.0)]
    [InlineData(0.71, 2 / 9.0, 4 / 9.0, 3 / 9.0)]
    public void TopP_LeavesTheFewestThatHaveP(double p, double first, double second, double fourth) =>
        AssertShares(new() { Temperature = 1, TopP = p }, first, second, 0, fourth);

    [Fact]
    public void TopP_AfterTopK_IsOfWhatKLeft() =>
        // Of 0.4 and 0.3 that k = 2 leaves, the first has 0.571.
        AssertShares(new() { Temperature = 1, TopK = 2, TopP = 0.57 }, 0, 1, 0, 0);

    [Fact]
    public void RepetitionPenalty_DividesPositiveAndMultipliesNegativeLogits()
    {
        TokenSampler sampler = new(new() { RepetitionPenalty = 2 });
        sampler.Saw([0, 2]);
        Assert.Equal(1, sampler.Next([5, 3, 1]));
        Assert.Equal(1, sampler.Next([-1, -1.5f, -1]));
        Assert.Equal(0, sampler.Next([7, 3, 1]));
    }

    [Fact]
    public void Seed_FixesTheDraws()
    {
        static int[] Draw(ulong seed)
        {
            TokenSampler sampler = new(new() { Temperature = 1, TopK = 3, TopP = 0.9, Seed = seed });
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Next(Logits))];
        }

        Assert.Equal(Draw(1), Draw(1));
        Assert.NotEqual(Draw(1), Draw(2));
    }

    [Fact]
    public void Options_OutOfRange_AreNamed()
    {
        foreach ((GenerationOptions options, string name) in new (GenerationOptions, string)[]
        {
            (new() { MaxNewTokens = 0 }, "MaxNewTokens"), (new() { Temperature = -1 }, "Temperature"), (new() { Temperature = double.NaN }, "Temperature"),
            (new() { TopK = 0 }, "TopK"), (new() { TopP = 0 }, "TopP"), (new() { TopP = 1.1 }, "TopP"), (new() { RepetitionPenalty = 0 }, "RepetitionPenalty"),
        })
        {
            Assert.Contains(name, Assert.Throws<ArgumentOutOfRangeException>(options.Validate).Message, StringComparison.Ordinal);
        }
    }

    // 20,000 draws: the standard deviation of a share is below 0.0036.
    private static void AssertShares(GenerationOptions options, params double[] expected)
    {
        const int Draws = 20_000;
        int[] counts = new int[expected.Length];
        TokenSampler sampler = new(options with { Seed = 3 });
        for (int i = 0; i < Draws; i++)
            counts[sampler.Next(Logits)]++;
        for (int token = 0; token < expected.Length; token++)
        {
            Assert.InRange((double)counts[token] / Draws, expected[token] - 0.015, expected[token] + 0.015);
            Assert.Equal(expected[token] == 0, counts[token] == 0);
        }
    }
}
