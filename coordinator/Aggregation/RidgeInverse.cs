using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Federated.Coordinator.Aggregation;

/// <summary>(G + lambda I)^-1 for a small symmetric G that may be singular.</summary>
internal static class RidgeInverse
{
    // Down to here Cholesky is safe: the condition number is at most r / relative, far below 1 / machine epsilon.
    private const double SmallestForCholesky = 1e-9;

    /// <summary>Inverts, or pseudo-inverts where lambda leaves G singular.</summary>
    /// <param name="gram">G, rank x rank within a padded square; positive semi-definite.</param>
    /// <param name="rank">Rows of G.</param>
    /// <param name="relative">lambda in units of tr(G) / r; 0 or more.</param>
    /// <param name="inverse">Receives the padded inverse, with zeros around it; as large as <paramref name="gram"/>.</param>
    public static void Compute(ReadOnlySpan<double> gram, int rank, double relative, Span<double> inverse)
    {
        int stride = FoldKernels.Pad(rank);
        Matrix<double> matrix = Matrix<double>.Build.Dense(rank, rank);
        for (int i = 0; i < rank; i++)
        {
            for (int j = 0; j < rank; j++)
                matrix[i, j] = gram[(Math.Max(i, j) * stride) + Math.Min(i, j)];
        }

        double lambda = relative * matrix.Trace() / rank;
        for (int i = 0; i < rank; i++)
            matrix[i, i] += lambda;

        Matrix<double> result = relative >= SmallestForCholesky && lambda > 0
            ? matrix.Cholesky().Solve(Matrix<double>.Build.DenseIdentity(rank))
            : PseudoInverse(matrix);
        inverse.Clear();
        for (int i = 0; i < rank; i++)
        {
            for (int j = 0; j < rank; j++)
                inverse[(i * stride) + j] = result[i, j];
        }
    }

    private static Matrix<double> PseudoInverse(Matrix<double> matrix)
    {
        Evd<double> eigen = matrix.Evd(Symmetricity.Symmetric);
        double[] values = [.. eigen.EigenValues.Select(value => value.Real)];
        double cutoff = values.Max() * matrix.RowCount * 1e-15;
        double[] inverted = Array.ConvertAll(values, value => value > cutoff ? 1 / value : 0);
        return eigen.EigenVectors * Matrix<double>.Build.DiagonalOfDiagonalArray(inverted) * eigen.EigenVectors.Transpose();
    }
}
