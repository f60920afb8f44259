using MathNet.Numerics.LinearAlgebra;

namespace Federated.Coordinator.Tests.Aggregation;

/// <summary>
/// Numbers computed independently in float64 with numpy for m = 6, n = 5, r = 2, K = 3, p = (0.2, 0.3, 0.5):
/// A_k[i,j] = sin(1 + 7k + 3i + (1+k) j^2), B_k[i,j] = cos(2 + 5k + (1+k) i^2 + 2j). In the second column client 0 has rank 1.
/// Updates travel in float32: agreement to 2e-6.
/// </summary>
public class LoraFairGoldenTests
{
    private const double Tolerance = 2e-6;
    private static readonly double[] Weights = [0.2, 0.3, 0.5];

    [Theory]
    [InlineData(2, 0.0, 2.52543975, 1.85324923, 1.73010725)]
    [InlineData(2, 0.01, 2.52543975, 1.85324923, 1.73292037)]
    [InlineData(2, 1.0, 2.52543975, 1.85324923, 1.74916177)]
    [InlineData(1, 0.0, 2.50626703, 1.72069811, 1.33533163)]
    [InlineData(1, 0.01, 2.50626703, 1.72069811, 1.33900270)]
    [InlineData(1, 1.0, 2.50626703, 1.72069811, 1.54466111)]
    public void Aggregate_GoldenInputs_GiveTheGoldenNorms(int firstRank, double lambda, double ideal, double bias, double residual)
    {
        using Cohort cohort = Golden(firstRank);
        (double[,] a, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(Relative(lambda, firstRank)));
        Assert.Equal(ideal, diagnostics["ideal_norm"], Tolerance);
        Assert.Equal(bias, diagnostics["bias_norm"], Tolerance);
        Assert.Equal(residual, diagnostics["residual_norm"], Tolerance);

        // The norms are not only reported: the adapter written has that distance from the dense T.
        Assert.Equal(residual, (Fold(firstRank).Ideal - (Dense.Of(b) * Dense.Of(a))).FrobeniusNorm(), Tolerance);
    }

    [Theory]
    [InlineData(2, 3.00775895, new[] { 0.69061574, -0.20676196 }, new[] { 0.59583145, 0.15533851 }, 0.88271975)]
    [InlineData(1, 1.86359032, new[] { -0.31559905, -1.2090249 }, new[] { -0.20708000, -0.63316159 }, -0.85523546)]
    public void Aggregate_GoldenInputs_GiveTheGoldenB(int firstRank, double objective, double[] firstRow, double[] lastRow, double sum)
    {
        using Cohort cohort = Golden(firstRank);
        (_, double[,] b, IReadOnlyDictionary<string, double> diagnostics) = cohort.FoldLayer(Cohort.LoraFair(Relative(0.01, firstRank)));
        for (int j = 0; j < 2; j++)
        {
            Assert.Equal(firstRow[j], b[0, j], Tolerance);
            Assert.Equal(lastRow[j], b[5, j], Tolerance);
        }

        Assert.Equal(sum, b.Cast<double>().Sum(), 5 * Tolerance);
        double moved = (Dense.Of(b) - Fold(firstRank).MeanB).FrobeniusNorm(), residual = diagnostics["residual_norm"];
        Assert.Equal(objective, (residual * residual) + (0.01 * moved * moved), 5 * Tolerance);
    }

    [Theory]
    [InlineData(2, 0.91949067, -0.94370484, 0.97387679)]
    [InlineData(1, 0.91949067, -0.92466725, 1.07459090)]
    public void Aggregate_GoldenInputs_GiveTheGoldenGramOfA(int firstRank, double first, double beside, double second)
    {
        using Cohort cohort = Golden(firstRank);
        (double[,] a, _, _) = cohort.FoldLayer(Cohort.LoraFair(0.03));
        Matrix<double> gram = Dense.Of(a) * Dense.Of(a).Transpose();
        Assert.Equal(first, gram[0, 0], Tolerance);
        Assert.Equal(beside, gram[0, 1], Tolerance);
        Assert.Equal(second, gram[1, 1], Tolerance);
    }

    private static Cohort Golden(int firstRank)
    {
        Cohort cohort = new Cohort().Global(Cohort.Adapter(new double[2, 5], new double[6, 2]));
        foreach ((Dense.Update update, int k) in Updates(firstRank).Select((u, k) => (u, k)))
            cohort.Add($"client-{k}", update.Weight, update.A, update.B);
        return cohort;
    }

    private static Dense.Result Fold(int firstRank) => Dense.Fold([.. Updates(firstRank)]);

    private static double Relative(double lambda, int firstRank) => lambda * 2 / Fold(firstRank).Gram.Trace();

    private static IEnumerable<Dense.Update> Updates(int firstRank)
    {
        for (int k = 0; k < 3; k++)
        {
            int rank = k == 0 ? firstRank : 2;
            double[,] a = new double[rank, 5], b = new double[6, rank];
            for (int i = 0; i < rank; i++)
            {
                for (int j = 0; j < 5; j++)
                    a[i, j] = Math.Sin(1 + (7 * k) + (3 * i) + ((1 + k) * j * j));
                for (int j = 0; j < 6; j++)
                    b[j, i] = Math.Cos(2 + (5 * k) + ((1 + k) * j * j) + (2 * i));
            }

            yield return new(Weights[k], 1, a, b);
        }
    }
}
