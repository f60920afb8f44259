using Federated.Coordinator.Aggregation;
using MathNet.Numerics.LinearAlgebra;

namespace Federated.Coordinator.Tests.Aggregation;

/// <summary>Numbers by hand and the promises of <see cref="LoraFair"/>.</summary>
public class LoraFairTests
{
    // A1 = [1 0], A2 = [1 1], B1 = [1 0]^T, B2 = [0 1]^T, p = 1/2: Abar = [1 .5], Bbar = [.5 .5]^T, G = 1.25, C = [.5 .75]^T.
    private static Cohort WorkedExample() => new Cohort()
        .Add("one", 1, new double[,] { { 1, 0 } }, new double[,] { { 1 }, { 0 } })
        .Add("two", 1, new double[,] { { 1, 1 } }, new double[,] { { 0 }, { 1 } });

    [Fact]
    public void Aggregate_WorkedExampleWithoutLambda_IsTheLeastSquaresFit()
    {
        using Cohort cohort = WorkedExample();
        (double[,] a, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(0));
        Assert.Equal([1, 0.5], a.Cast<double>());
        AssertClose([0.4, 0.6], b);
        Assert.Equal(0.1, Square(diagnostics["residual_norm"]), 6);
        Assert.Equal(0.125, Square(diagnostics["bias_norm"]), 6);
    }

    [Fact]
    public void Aggregate_WorkedExampleWithLambda_MatchesTheHandCalculation()
    {
        using Cohort cohort = WorkedExample();

        // Absolute lambda 0.25 is 0.2 of tr(G) / r = 1.25.
        (_, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(0.2));
        AssertClose([0.41666667, 0.58333333], b);
        Assert.Equal(0.10069444, Square(diagnostics["residual_norm"]), 6);
    }

    [Theory]
    [InlineData("equal A")]
    [InlineData("equal B")]
    public void Aggregate_OneFactorCommonToAll_DoesNotMoveB(string common)
    {
        using Cohort cohort = new();
        for (ulong k = 0; k < 4; k++)
            cohort.Add($"site-{k}", k + 1, Dense.Random(common == "equal A" ? 7 : k, 3, 9), Dense.Random(common == "equal B" ? 8 : 20 + k, 7, 3));

        (_, double[,] corrected, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(0.03));
        (_, double[,] mean, _) = cohort.FoldLayer(Cohort.Rule(AggregationRules.FedIt));
        AssertClose(mean.Cast<double>(), corrected, 1e-7);
        Assert.Equal(0, diagnostics["bias_norm"], 6);
    }

    [Fact]
    public void Aggregate_HugeLambda_IsFedIt()
    {
        using Cohort cohort = RandomCohort(5, 24, 18, 4, out _);
        (_, double[,] corrected, _) = cohort.FoldLayer(Cohort.LoraFair(1e9));
        (_, double[,] mean, _) = cohort.FoldLayer(Cohort.Rule(AggregationRules.FedIt));
        AssertClose(mean.Cast<double>(), corrected, 1e-7);
    }

    [Fact]
    public void Aggregate_CommonRowSpaceWithoutLambda_LeavesNoResidual()
    {
        // Every A_k = M_k A with one A: T lies in A's row space, and B' reaches it.
        using Cohort cohort = new();
        Matrix<double> common = Dense.Of(Dense.Random(1, 3, 20));
        for (ulong k = 0; k < 4; k++)
        {
            Matrix<double> mix = Matrix<double>.Build.DenseIdentity(3) + (0.3 * Dense.Of(Dense.Random(10 + k, 3, 3)));
            cohort.Add($"site-{k}", 1, (mix * common).ToArray(), Dense.Random(20 + k, 12, 3));
        }

        (_, _, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(0));
        Assert.True(diagnostics["bias_norm"] > 0.1);
        Assert.True(diagnostics["residual_norm"] < 1e-3 * diagnostics["bias_norm"], $"residual {diagnostics["residual_norm"]}");
    }

    [Fact]
    public void Aggregate_FactorsTurnedByOneOrthogonalMatrix_GivesTheSameProduct()
    {
        Matrix<double> turn = Dense.Of(Dense.Random(99, 4, 4)).QR().Q;
        using Cohort plain = RandomCohort(6, 24, 18, 4, out List<Dense.Update> updates);
        using Cohort turned = new();
        for (int k = 0; k < updates.Count; k++)
            turned.Add($"site-{k}", updates[k].Weight, (turn * Dense.Of(updates[k].A)).ToArray(), (Dense.Of(updates[k].B) * turn.Transpose()).ToArray());

        (double[,] a1, double[,] b1, _) = plain.FoldLayer(Cohort.LoraFair(0.03));
        (double[,] a2, double[,] b2, _) = turned.FoldLayer(Cohort.LoraFair(0.03));
        AssertClose((Dense.Of(b1) * Dense.Of(a1)).Enumerate(Zeros.Include), (Dense.Of(b2) * Dense.Of(a2)).ToArray(), 2e-6, byRows: false);
    }

    [Fact]
    public void Aggregate_DoublyCentredSums_GiveTheSameCorrection()
    {
        // What two-phase secure aggregation would add up: Q_k = p_k (B_k - Bbar)(A_k - Abar) Abar^T.
        using Cohort cohort = RandomCohort(5, 24, 18, 4, out List<Dense.Update> updates);
        Dense.Result fold = Dense.Fold(updates);
        double total = updates.Sum(u => u.Weight), lambda = 0.03 * fold.Gram.Trace() / 4;
        Matrix<double> sum = updates
            .Select(u => u.Weight / total * (Dense.Of(u.B) - fold.MeanB) * (Dense.Of(u.A) - fold.MeanA) * fold.MeanA.Transpose())
            .Aggregate((x, y) => x + y);
        Matrix<double> expected = fold.MeanB + (sum * (fold.Gram + (lambda * Matrix<double>.Build.DenseIdentity(4))).Inverse());
        (_, double[,] b, _) = cohort.FoldLayer(Cohort.LoraFair(0.03));
        AssertClose(expected.Transpose().Enumerate(Zeros.Include), b, 1e-6);
    }

    [Fact]
    public void Aggregate_SquareFactorsOfOneSize_TellsAFromBByName()
    {
        // m = n = r: no dimension says which is which.
        using Cohort cohort = RandomCohort(3, 5, 5, 5, out List<Dense.Update> updates);
        Dense.Result fold = Dense.Fold(updates);
        (double[,] a, double[,] b, _) = cohort.FoldLayer(Cohort.LoraFair(0.1));
        AssertClose(fold.MeanA.Transpose().Enumerate(Zeros.Include), a, 1e-6);
        AssertClose(Dense.Corrected(fold, 0.1 * fold.Gram.Trace() / 5).Transpose().Enumerate(Zeros.Include), b, 1e-5);
    }

    [Theory]
    [InlineData(48, 40, 4, 5)]
    [InlineData(96, 64, 8, 6)]
    [InlineData(1300, 2100, 3, 3)]
    [InlineData(20, 1, 2, 3)]
    [InlineData(1, 20, 2, 3)]
    [InlineData(64, 64, 20, 60)]
    public void Aggregate_RandomCohorts_EqualTheDenseReference(int outputs, int inputs, int rank, int count)
    {
        using Cohort cohort = RandomCohort(count, outputs, inputs, rank, out List<Dense.Update> updates);
        Dense.Result fold = Dense.Fold(updates);
        Matrix<double> expected = Dense.Corrected(fold, 0.03 * fold.Gram.Trace() / rank);
        (double[,] a, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(0.03));
        AssertClose(fold.MeanA.Transpose().Enumerate(Zeros.Include), a, 1e-6);
        AssertClose(expected.Transpose().Enumerate(Zeros.Include), b, 1e-5);
        AssertNorms(fold, expected, diagnostics);
        Assert.Equal(diagnostics["residual_norm"], diagnostics[$"{Cohort.Layer}/residual_norm"]);
    }

    [Fact]
    public void Aggregate_ScalingsThatDiffer_EntersTheProductsOnly()
    {
        using Cohort cohort = new() { Scaling = 2 };
        List<Dense.Update> updates = [];
        for (ulong k = 0; k < 4; k++)
        {
            updates.Add(new(k + 1, 1 << (int)k, Dense.Random(k, 3, 14), Dense.Random(40 + k, 11, 3)));
            cohort.Add($"site-{k}", updates[^1].Weight, updates[^1].A, updates[^1].B, updates[^1].Scaling);
        }

        Dense.Result fold = Dense.Fold(updates, scaling: 2);
        Matrix<double> expected = Dense.Corrected(fold, 0.03 * fold.Gram.Trace() / 3);
        (double[,] a, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(0.03));
        AssertClose(fold.MeanA.Transpose().Enumerate(Zeros.Include), a, 1e-6);
        AssertClose(expected.Transpose().Enumerate(Zeros.Include), b, 1e-5);
        AssertNorms(fold, expected, diagnostics);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.03)]
    public void Aggregate_RankThatNoSiteReaches_LeavesItsColumnOfBExactlyZero(double lambda)
    {
        // The global adapter has rank 4, the sites train 2 and 3: G is singular.
        using Cohort cohort = new Cohort().Global(Cohort.Adapter(new double[4, 10], new double[6, 4]));
        List<Dense.Update> updates = [];
        for (ulong k = 0; k < 4; k++)
        {
            int rank = k % 2 == 0 ? 2 : 3;
            updates.Add(new(1, 1, Dense.Random(k, rank, 10), Dense.Random(40 + k, 6, rank)));
            cohort.Add($"site-{k}", 1, updates[^1].A, updates[^1].B);
        }

        (double[,] a, double[,] b, _) = cohort.FoldLayer(Cohort.LoraFair(lambda));
        Assert.All(Enumerable.Range(0, 10), j => Assert.Equal(0, a[3, j]));
        Assert.All(Enumerable.Range(0, 6), i => Assert.Equal(0, b[i, 3]));

        // The other three columns are those of the problem at rank 3; lambda's unit tr(G) / r counts the fourth.
        Dense.Result fold = Dense.Fold(updates);
        Matrix<double> expected = Dense.Corrected(fold, lambda * fold.Gram.Trace() / 4);
        AssertClose(expected.Transpose().Enumerate(Zeros.Include), Dense.Of(b).SubMatrix(0, 6, 0, 3).ToArray(), 1e-5);
    }

    [Fact]
    public void Aggregate_ZeroB_StaysZero()
    {
        // The first round: nobody has moved B yet, T = 0.
        using Cohort cohort = new();
        for (ulong k = 0; k < 3; k++)
            cohort.Add($"site-{k}", 1, Dense.Random(k, 2, 6), new double[4, 2]);

        (_, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(0.03));
        Assert.All(b.Cast<double>(), value => Assert.Equal(0, value));
        Assert.Equal(0, diagnostics["ideal_norm"]);
    }

    [Fact]
    public void Aggregate_ZeroA_KeepsTheMeanOfB()
    {
        // G = 0 and lambda = 0 times it: nothing to fit, nothing to invert.
        using Cohort cohort = new Cohort().Add("one", 1, new double[2, 6], Dense.Random(1, 4, 2));
        (_, double[,] b, _) = cohort.FoldLayer(Cohort.LoraFair(0.03));
        AssertClose(Dense.Random(1, 4, 2).Cast<double>(), b, 1e-7);
    }

    [Theory]
    [InlineData(1ul, 16, 24, 4, 3)]
    [InlineData(2ul, 30, 12, 2, 8)]
    [InlineData(3ul, 9, 40, 6, 2)]
    [InlineData(4ul, 25, 25, 3, 20)]
    public void Aggregate_GrowingLambda_MovesFromTheBestFitTowardsFedIt(ulong seed, int outputs, int inputs, int rank, int count)
    {
        using Cohort cohort = RandomCohort(count, outputs, inputs, rank, out List<Dense.Update> updates, seed);
        Dense.Result fold = Dense.Fold(updates);
        double previous = Dense.Floor(fold.Ideal, rank), moved = double.PositiveInfinity;
        foreach (double lambda in new[] { 0, 1e-4, 0.01, 0.1, 1, 10, 1e4 })
        {
            (_, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(lambda));
            double residual = diagnostics["residual_norm"], step = (Dense.Of(b) - fold.MeanB).FrobeniusNorm();
            Assert.True(residual >= previous * (1 - 1e-6), $"lambda {lambda}: residual {residual} below {previous}");
            Assert.True(step <= moved * (1 + 1e-6), $"lambda {lambda}: moved {step}, before {moved}");
            Assert.True(residual <= diagnostics["bias_norm"] * (1 + 1e-6), $"lambda {lambda}: residual {residual} above FedIT's {diagnostics["bias_norm"]}");
            (previous, moved) = (residual, step);
        }
    }

    [Fact]
    public void Aggregate_NormsOff_ReportsNone()
    {
        using Cohort cohort = WorkedExample();
        (_, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.Rule(AggregationRules.LoraFair, ("lambda", 0), ("norms", "off")));
        Assert.Empty(diagnostics);
        AssertClose([0.4, 0.6], b);
    }

    [Fact]
    public void Aggregate_HalfAPair_IsRefused()
    {
        Federated.Shared.Tensors.NamedTensors lonely = new();
        lonely.Add(Cohort.A, [1, 2], [1, 2]);
        using Cohort cohort = new Cohort().Add("one", 1, lonely);
        AggregationException error = Assert.Throws<AggregationException>(() => cohort.Fold(Cohort.LoraFair(0.03)));
        Assert.Contains(Cohort.Layer, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aggregate_RankAboveThePlans_IsRefusedByName()
    {
        using Cohort cohort = new Cohort()
            .Add("one", 1, Dense.Random(1, 2, 6), Dense.Random(2, 4, 2))
            .Add("two", 1, Dense.Random(3, 3, 6), Dense.Random(4, 4, 3));
        AggregationException error = Assert.Throws<AggregationException>(() => cohort.Fold(Cohort.LoraFair(0.03)));
        Assert.Equal("two", error.Site);
        Assert.Contains("(3, 6)", error.Message, StringComparison.Ordinal);
    }

    internal static Cohort RandomCohort(int count, int outputs, int inputs, int rank, out List<Dense.Update> updates, ulong seed = 0)
    {
        Cohort cohort = new();
        updates = [];
        double[,] commonA = Dense.Random(1000 + seed, rank, inputs), commonB = Dense.Random(2000 + seed, outputs, rank);
        for (ulong k = 0; k < (ulong)count; k++)
        {
            // Factors share a part, as those of sites that started from one adapter do.
            Matrix<double> a = Dense.Of(commonA) + Dense.Of(Dense.Random((100 * seed) + k, rank, inputs, 0.5));
            Matrix<double> b = Dense.Of(commonB) + Dense.Of(Dense.Random((100 * seed) + k + 5000, outputs, rank, 0.5));
            updates.Add(new(k + 1, 1, Rounded(a), Rounded(b)));
            cohort.Add($"site-{k:d3}", k + 1, updates[^1].A, updates[^1].B);
        }

        return cohort;
    }

    private static double[,] Rounded(Matrix<double> matrix) => matrix.Map(value => (double)(float)value, Zeros.Include).ToArray();

    private static double Square(double value) => value * value;

    private static void AssertNorms(Dense.Result fold, Matrix<double> corrected, IReadOnlyDictionary<string, double> diagnostics)
    {
        double bias = (fold.Ideal - (fold.MeanB * fold.MeanA)).FrobeniusNorm(), residual = (fold.Ideal - (corrected * fold.MeanA)).FrobeniusNorm();
        Assert.Equal(1, diagnostics["ideal_norm"] / fold.Ideal.FrobeniusNorm(), 1e-5);
        Assert.Equal(1, diagnostics["bias_norm"] / bias, 1e-5);

        // Squares have errors in units of the bias: a residual close to zero has fewer digits.
        Assert.Equal(Square(residual / bias), Square(diagnostics["residual_norm"] / bias), 1e-5);
    }

    /// <summary>Expected values in row-major order; MathNet enumerates columns first, so its callers transpose.</summary>
    private static void AssertClose(IEnumerable<double> expected, double[,] actual, double tolerance = 1e-6, bool byRows = true)
    {
        IEnumerable<double> got = byRows ? actual.Cast<double>() : Dense.Of(actual).Enumerate(Zeros.Include);
        Assert.All(expected.Zip(got, (e, a) => (e, a)), pair => Assert.Equal(pair.e, pair.a, tolerance));
    }
}
