using Federated.Coordinator.Aggregation;
using MathNet.Numerics.LinearAlgebra;

namespace Federated.Coordinator.Tests.Aggregation;

public class FedItTests
{
    private static readonly IAggregationRule Rule = Cohort.Rule(AggregationRules.FedIt);

    [Fact]
    public void Aggregate_TwoUnitAdapters_HasTheKnownBias()
    {
        using Cohort cohort = new Cohort()
            .Add("one", 10, new double[,] { { 1, 0 } }, new double[,] { { 1 }, { 0 } })
            .Add("two", 10, new double[,] { { 0, 1 } }, new double[,] { { 0 }, { 1 } });
        (double[,] a, double[,] b, _) = cohort.FoldLayer(Rule);

        // T = diag(.5, .5), Bbar Abar is .25 everywhere.
        Matrix<double> residual = Matrix<double>.Build.DenseDiagonal(2, 2, 0.5) - (Dense.Of(b) * Dense.Of(a));
        Assert.Equal(new[,] { { 0.25, -0.25 }, { -0.25, 0.25 } }, residual.ToArray());
    }

    [Fact]
    public void Aggregate_RandomCohort_MissesTheCrossCovarianceOfTheFactors()
    {
        // T - Bbar Abar = sum_k p_k (B_k - Bbar)(A_k - Abar).
        using Cohort cohort = LoraFairTests.RandomCohort(5, 12, 9, 3, out List<Dense.Update> updates);
        (double[,] a, double[,] b, _) = cohort.FoldLayer(Rule);
        Dense.Result fold = Dense.Fold(updates);
        double total = updates.Sum(u => u.Weight);
        Matrix<double> covariance = updates
            .Select(u => u.Weight / total * (Dense.Of(u.B) - fold.MeanB) * (Dense.Of(u.A) - fold.MeanA))
            .Aggregate((x, y) => x + y);
        Assert.True((fold.Ideal - (fold.MeanB * fold.MeanA) - covariance).FrobeniusNorm() < 1e-12);
        Assert.True((fold.Ideal - (Dense.Of(b) * Dense.Of(a)) - covariance).FrobeniusNorm() < 1e-5);
    }

    [Fact]
    public void Aggregate_AnotherScaling_IsRefusedWithTheWayOut()
    {
        using Cohort cohort = new Cohort()
            .Add("one", 1, new double[,] { { 1, 0 } }, new double[,] { { 1 }, { 0 } })
            .Add("two", 1, new double[,] { { 0, 1 } }, new double[,] { { 0 }, { 1 } }, scaling: 2);
        AggregationException error = Assert.Throws<AggregationException>(() => cohort.Fold(Rule));
        Assert.Equal("two", error.Site);
        Assert.Contains(AggregationRules.LoraFair, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aggregate_AnotherRank_IsRefused()
    {
        using Cohort cohort = new Cohort()
            .Add("one", 1, Dense.Random(1, 2, 4), Dense.Random(2, 3, 2))
            .Add("two", 1, Dense.Random(3, 1, 4), Dense.Random(4, 3, 1));
        Assert.Equal("two", Assert.Throws<AggregationException>(() => cohort.Fold(Rule)).Site);
    }
}
