using Federated.Client.Tests.Fixtures;
using Federated.Client.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Training;

public sealed class OptimizerTests
{
    [Fact]
    public void AdamW_TwoSteps_FollowTheEquationsByHand()
    {
        // p=1, g=0.5 then -1; lr 0.1, betas 0.9/0.99, eps 1e-8, decay 0.1.
        // Step 1: p=0.99; m=0.05, v=0.0025; mhat=0.5, vhat=0.25 -> p = 0.99 - 0.1*0.5/0.5 = 0.89.
        // Step 2: p=0.8811; m=-0.055, v=0.012475; mhat=-0.055/0.19, vhat=0.012475/0.0199 -> p = 0.8811 + 0.1*0.2894737/0.7917627 = 0.9176607.
        float[] values = [.. Enumerable.Repeat(1f, 19)];
        ILocalOptimizer optimizer = Create(values.Length, new() { Steps = 2, Beta2 = 0.99, WeightDecay = 0.1 });
        optimizer.BeginStep(0.1, 1);
        optimizer.Update(0, values, Gradient(0.5f));
        Near.Equal([.. Enumerable.Repeat(0.89f, 19)], values, 1e-6, "after step 1");
        optimizer.BeginStep(0.1, 0.5);
        optimizer.Update(0, values, Gradient(-2));
        Near.Equal([.. Enumerable.Repeat(0.9176607f, 19)], values, 1e-6, "after step 2");
    }

    [Fact]
    public void Sgd_TwoSteps_FollowTheEquationsByHand()
    {
        // p=1, g=0.5 then -1; lr 0.1, momentum 0.9, decay 0.1: u=0.6, p=0.94; u=0.54-1+0.094=-0.366, p=0.9766.
        float[] values = [1];
        ILocalOptimizer optimizer = Create(1, new() { Steps = 2, Optimizer = LocalOptimizers.Sgd, Beta1 = 0.9, WeightDecay = 0.1 });
        optimizer.BeginStep(0.1, 1);
        optimizer.Update(0, values, [0.5f]);
        Near.Equal([0.94f], values, 1e-6, "after step 1");
        optimizer.BeginStep(0.1, 1);
        optimizer.Update(0, values, [-1]);
        Near.Equal([0.9766f], values, 1e-6, "after step 2");
    }

    [Theory]
    [InlineData(true, 0.9f)]
    [InlineData(false, 1f)]
    public void AdamW_Vectors_DecayOnlyWhenAsked(bool decays, float expected)
    {
        float[] values = [1, 1];
        ILocalOptimizer optimizer = Create(2, new() { Steps = 1, WeightDecay = 1, DecayVectors = decays });
        optimizer.BeginStep(0.1, 1);
        optimizer.Update(0, values, [0, 0]);
        Near.Equal([expected, expected], values, 1e-6, "values");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 14)]
    [InlineData(2050, 2873809925)]
    public void SumOfSquares_CountUp_IsTheFormula(int count, double expected)
    {
        // n(n+1)(2n+1)/6
        float[] values = [.. Enumerable.Range(1, count).Select(i => (float)i)];
        Assert.Equal(expected, Gradients.SumOfSquares(values), expected * 1e-6);
    }

    private static float[] Gradient(float value) => [.. Enumerable.Repeat(value, 19)];

    private static ILocalOptimizer Create(long count, TrainingOptions options)
    {
        using Parameter parameter = new(zeros(count));
        return LocalOptimizers.Create([("p", parameter)], options);
    }
}
