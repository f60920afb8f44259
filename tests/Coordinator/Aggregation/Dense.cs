using MathNet.Numerics.LinearAlgebra;

namespace Federated.Coordinator.Tests.Aggregation;

/// <summary>LoRA aggregation the obvious way: every update in memory, T formed as an m x n matrix, float64.</summary>
internal static class Dense
{
    public sealed record Update(double Weight, double Scaling, double[,] A, double[,] B);

    public sealed record Result(Matrix<double> MeanA, Matrix<double> MeanB, Matrix<double> Ideal, Matrix<double> Gram);

    /// <summary>Deterministic values in [-1, 1), different for each seed.</summary>
    public static double[,] Random(ulong seed, int rows, int columns, double scale = 1)
    {
        float[] values = new float[rows * columns];
        Federated.Shared.Randomness.SharedRandom.Fill(seed, 0, Federated.Shared.Randomness.StreamKind.Uniform, 0, values);
        double[,] matrix = new double[rows, columns];
        for (int i = 0; i < values.Length; i++)
            matrix[i / columns, i % columns] = (float)(scale * ((2 * values[i]) - 1));
        return matrix;
    }

    public static Matrix<double> Of(double[,] values) => Matrix<double>.Build.DenseOfArray(values);

    public static Matrix<double> Padded(double[,] values, int rows, int columns)
    {
        Matrix<double> matrix = Matrix<double>.Build.Dense(rows, columns);
        matrix.SetSubMatrix(0, 0, Of(values));
        return matrix;
    }

    /// <summary>Bars by zero padding, and T = sum p_k s_k / s B_k A_k.</summary>
    public static Result Fold(IReadOnlyList<Update> updates, double scaling = 1)
    {
        double total = updates.Sum(u => u.Weight);
        int rank = updates.Max(u => u.A.GetLength(0)), inputs = updates[0].A.GetLength(1), outputs = updates[0].B.GetLength(0);
        Matrix<double> meanA = Matrix<double>.Build.Dense(rank, inputs), meanB = Matrix<double>.Build.Dense(outputs, rank);
        Matrix<double> ideal = Matrix<double>.Build.Dense(outputs, inputs);
        foreach (Update update in updates)
        {
            double weight = update.Weight / total;
            meanA += weight * Padded(update.A, rank, inputs);
            meanB += weight * Padded(update.B, outputs, rank);
            ideal += weight * update.Scaling / scaling * Of(update.B) * Of(update.A);
        }

        return new(meanA, meanB, ideal, meanA * meanA.Transpose());
    }

    /// <summary>argmin over B of norm(T - B Abar)^2 + lambda norm(B - Bbar)^2, as one least-squares problem on the dense T.</summary>
    public static Matrix<double> Corrected(Result fold, double lambda)
    {
        int rank = fold.MeanA.RowCount;
        Matrix<double> system = fold.MeanA.Transpose().Stack(Math.Sqrt(lambda) * Matrix<double>.Build.DenseIdentity(rank));
        Matrix<double> target = fold.Ideal.Transpose().Stack(Math.Sqrt(lambda) * fold.MeanB.Transpose());
        return system.QR().Solve(target).Transpose();
    }

    /// <summary>The least residual that any matrix of that rank can have: Eckart and Young.</summary>
    public static double Floor(Matrix<double> ideal, int rank) => Math.Sqrt(ideal.Svd().S.Skip(rank).Sum(s => s * s));
}
