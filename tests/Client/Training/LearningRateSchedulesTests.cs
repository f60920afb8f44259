using Federated.Client.Training;

namespace Federated.Client.Tests.Training;

public sealed class LearningRateSchedulesTests
{
    // Warm-up of 4, 12 steps: transformers' get_linear_schedule_with_warmup and get_cosine_schedule_with_warmup by hand.
    [Theory]
    [InlineData("constant", 0, 0)]
    [InlineData("constant", 2, 0.5)]
    [InlineData("constant", 11, 1)]
    [InlineData("linear", 1, 0.25)]
    [InlineData("linear", 4, 1)]
    [InlineData("linear", 6, 0.75)]
    [InlineData("linear", 12, 0)]
    [InlineData("cosine", 3, 0.75)]
    [InlineData("cosine", 4, 1)]
    [InlineData("cosine", 8, 0.5)]
    [InlineData("cosine", 10, 0.14644660940672627)]
    [InlineData("cosine", 12, 0)]
    [InlineData("cosine", 99, 0)]
    public void Factor_WarmupOfFourOfTwelve_IsTransformers(string name, int step, double expected) =>
        Assert.Equal(expected, LearningRateSchedules.Factor(name, step, 4, 12), 1e-12);

    [Fact]
    public void Factor_NoWarmup_StartsAtThePeak() => Assert.All(LearningRateSchedules.Names, name => Assert.Equal(1, LearningRateSchedules.Factor(name, 0, 0, 5)));
}
