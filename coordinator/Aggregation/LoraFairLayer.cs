using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>LoRA-FAIR on one adapted layer. See <see cref="LoraFair"/> for the equations.</summary>
/// <remarks>
/// The correction is computed in its centred form. With q_k = p_k s_k / s, Bs = sum_k q_k B_k and the spread
/// R = T - Bs Abar = sum_k p_k (s_k / s B_k - Bs)(A_k - Abar):
///   E = R Abar^T = sum_k q_k B_k (A_k - Abar) Abar^T,   dB = (E + (Bs - Bbar) G)(G + lambda I)^-1.
/// It equals (2.11), without the cancellation of C - Bbar G, and is exactly zero for one update.
/// The updates go by twice, one at a time: for Abar, then for E. Memory: r n + 5 m r float64, whatever their number.
/// </remarks>
internal sealed class LoraFairLayer(AggregationRound round, LoraPair pair, double lambda, bool norms) : FoldStep
{
    private const int ColumnsAtATime = 1024;
    private const int RowsAtATime = 256;

    private readonly int _width = FoldKernels.Pad(pair.Rank);
    private readonly int _stride = FoldKernels.Pad(pair.Inputs);

    /// <summary>Name of the layer.</summary>
    public string Layer => pair.Layer;

    /// <summary>The norms of this layer; zero until computed, or when they are not wanted.</summary>
    public AggregationNorms Norms { get; private set; }

    /// <inheritdoc/>
    public override void Compute(FoldScratch scratch, CancellationToken cancellation)
    {
        int sizeOfB = pair.Outputs * _width;
        Span<double> meanA = scratch.Doubles(Buffer.MeanA, _width * _stride), gram = scratch.Doubles(Buffer.Gram, _width * _width);
        Span<double> meanB = scratch.Doubles(Buffer.MeanB, sizeOfB), scaledMeanB = scratch.Doubles(Buffer.ScaledMeanB, sizeOfB);
        Span<double> spread = scratch.Doubles(Buffer.Spread, sizeOfB), correction = scratch.Doubles(Buffer.Correction, sizeOfB);

        AverageA(meanA, scratch);
        gram.Clear();
        FoldKernels.AddRowProducts(meanA, _stride, meanA, _stride, _stride, _width, gram);
        FoldB(meanA, meanB, scaledMeanB, spread, scratch, cancellation);
        Correct(gram, meanB, scaledMeanB, spread, correction, scratch);
        RoundB(meanB, correction, scratch);
        if (norms)
        {
            double spreadNorm = SpreadNorm.Square(round, pair, meanA, scaledMeanB, scratch, cancellation);
            Norms = Measure(spreadNorm, gram, meanB, scaledMeanB, spread, correction, scratch);
        }
    }

    /// <inheritdoc/>
    public override void Write(SafetensorsWriter writer, FoldScratch scratch)
    {
        writer.WriteTensor(pair.NameOfA, scratch.Floats(Buffer.NextA, pair.Rank * pair.Inputs));
        writer.WriteTensor(pair.NameOfB, scratch.Floats(Buffer.NextB, pair.Outputs * pair.Rank));
    }

    /// <summary>Abar = sum_k p_k A_k, missing ranks counting as zero; rounded to float32 it is the next A. Finite, or the solve below would not end well.</summary>
    private void AverageA(Span<double> meanA, FoldScratch scratch)
    {
        meanA.Clear();
        for (int k = 0; k < round.Updates.Count; k++)
        {
            Span<float> factor = scratch.Floats(Buffer.Factor, pair.RankOf(k) * pair.Inputs);
            pair.ReadA(k, factor);
            for (int i = 0; i < pair.RankOf(k); i++)
                FoldKernels.AddScaled(factor.Slice(i * pair.Inputs, pair.Inputs), round.Weights[k], meanA.Slice(i * _stride, pair.Inputs));
        }

        Span<float> next = scratch.Floats(Buffer.NextA, pair.Rank * pair.Inputs);
        for (int i = 0; i < pair.Rank; i++)
            FoldKernels.Round(meanA.Slice(i * _stride, pair.Inputs), next[(i * pair.Inputs)..]);

        pair.RequireFiniteA(next);
    }

    /// <summary>Bbar, Bs and E = sum_k q_k B_k (A_k - Abar) Abar^T.</summary>
    private void FoldB(
        ReadOnlySpan<double> meanA, Span<double> meanB, Span<double> scaledMeanB, Span<double> spread, FoldScratch scratch, CancellationToken cancellation)
    {
        Span<double> product = scratch.Doubles(Buffer.Product, _width * _width);
        bool mixed = round.Updates.Any(update => update.Scaling != round.Scaling);
        meanB.Clear();
        scaledMeanB.Clear();
        spread.Clear();
        for (int k = 0; k < round.Updates.Count; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            double weight = round.Weights[k], scaled = weight * round.Updates[k].Scaling / round.Scaling;
            CentredProduct(k, meanA, product, scratch);
            for (int i = 0; i < product.Length; i++)
                product[i] *= scaled;

            int rank = pair.RankOf(k), rowsRead = Math.Max(RowsAtATime, WeightedMean.TileElements / rank);
            Span<float> stored = scratch.Floats(Buffer.Factor, rowsRead * rank);
            for (int row = 0; row < pair.Outputs; row += rowsRead)
            {
                Span<float> rows = stored[..(Math.Min(rowsRead, pair.Outputs - row) * rank)];
                pair.ReadB(k, row, rows);
                AddRows(rows, rank, weight, meanB[(row * _width)..]);
                if (mixed)
                    AddRows(rows, rank, scaled, scaledMeanB[(row * _width)..]);
                AddProducts(rows, rank, product, spread[(row * _width)..], scratch);
            }
        }

        if (!mixed)
            meanB.CopyTo(scaledMeanB);
    }

    /// <summary>spread += rows product, widened to float64 a few rows at a time.</summary>
    private void AddProducts(ReadOnlySpan<float> rows, int rank, ReadOnlySpan<double> product, Span<double> spread, FoldScratch scratch)
    {
        Span<double> wide = scratch.Doubles(Buffer.Tile, RowsAtATime * rank);
        for (int row = 0; row * rank < rows.Length; row += RowsAtATime)
        {
            int count = Math.Min(RowsAtATime, (rows.Length / rank) - row);
            FoldKernels.Scale(rows.Slice(row * rank, count * rank), 1, wide);
            FoldKernels.AddProduct(wide, count, rank, product, _width, spread.Slice(row * _width, count * _width));
        }
    }

    /// <summary>(A_k - Abar) Abar^T, columns in tiles. Ranks that A_k lacks are left out: nothing of B_k multiplies them.</summary>
    private void CentredProduct(int k, ReadOnlySpan<double> meanA, Span<double> product, FoldScratch scratch)
    {
        int rank = pair.RankOf(k);
        Span<float> factor = scratch.Floats(Buffer.Factor, rank * pair.Inputs);
        Span<double> tile = scratch.Doubles(Buffer.Tile, _width * ColumnsAtATime);
        pair.ReadA(k, factor);
        product.Clear();
        tile.Clear();
        for (int first = 0; first < _stride; first += ColumnsAtATime)
        {
            int padded = Math.Min(ColumnsAtATime, _stride - first), columns = Math.Min(padded, pair.Inputs - first);
            for (int i = 0; i < rank; i++)
            {
                Span<double> row = tile.Slice(i * ColumnsAtATime, padded);
                FoldKernels.Subtract(factor.Slice((i * pair.Inputs) + first, columns), meanA.Slice((i * _stride) + first, columns), row);
                row[columns..].Clear();
            }

            FoldKernels.AddRowProducts(tile, ColumnsAtATime, meanA[first..], _stride, padded, _width, product);
        }
    }

    /// <summary>dB = (E + (Bs - Bbar) G)(G + lambda I)^-1.</summary>
    private void Correct(
        ReadOnlySpan<double> gram, ReadOnlySpan<double> meanB, ReadOnlySpan<double> scaledMeanB, ReadOnlySpan<double> spread, Span<double> correction,
        FoldScratch scratch)
    {
        Span<double> inverse = scratch.Doubles(Buffer.Product, _width * _width), wanted = scratch.Doubles(Buffer.Work, spread.Length);
        RidgeInverse.Compute(gram, pair.Rank, lambda, inverse);
        for (int i = 0; i < wanted.Length; i++)
            correction[i] = scaledMeanB[i] - meanB[i];

        spread.CopyTo(wanted);
        FoldKernels.AddProduct(correction, pair.Outputs, _width, gram, _width, wanted);
        correction.Clear();
        FoldKernels.AddProduct(wanted, pair.Outputs, _width, inverse, _width, correction);
    }

    /// <summary>Rounds B' = Bbar + dB to float32, once.</summary>
    private void RoundB(ReadOnlySpan<double> meanB, ReadOnlySpan<double> correction, FoldScratch scratch)
    {
        Span<float> next = scratch.Floats(Buffer.NextB, pair.Outputs * pair.Rank);
        for (int i = 0; i < pair.Outputs; i++)
        {
            for (int j = 0; j < pair.Rank; j++)
                next[(i * pair.Rank) + j] = (float)(meanB[(i * _width) + j] + correction[(i * _width) + j]);
        }

        pair.RequireFiniteB(next);
    }

    /// <summary>norm(T - X Abar)^2 = norm(R)^2 + 2 &lt;E, Bs - X&gt; + tr((Bs - X) G (Bs - X)^T) for X = 0, Bbar and B'.</summary>
    /// <remarks>The error is about 1e-6 of the first term, so a residual far below the bias has fewer digits.</remarks>
    private AggregationNorms Measure(
        double spreadNorm, ReadOnlySpan<double> gram, ReadOnlySpan<double> meanB, Span<double> scaledMeanB, ReadOnlySpan<double> spread,
        ReadOnlySpan<double> correction, FoldScratch scratch)
    {
        Span<double> product = scratch.Doubles(Buffer.Work, spread.Length), gap = scaledMeanB;
        double ideal = Square(gap, gram, spread, product);
        for (int i = 0; i < gap.Length; i++)
            gap[i] -= meanB[i];
        double bias = Square(gap, gram, spread, product);
        for (int i = 0; i < gap.Length; i++)
            gap[i] -= correction[i];
        double residual = Square(gap, gram, spread, product);
        return new(spreadNorm + ideal, spreadNorm + bias, spreadNorm + residual);
    }

    private double Square(ReadOnlySpan<double> gap, ReadOnlySpan<double> gram, ReadOnlySpan<double> spread, Span<double> product)
    {
        product.Clear();
        FoldKernels.AddProduct(gap, pair.Outputs, _width, gram, _width, product);
        return (2 * FoldKernels.Dot(spread, gap)) + FoldKernels.Dot(product, gap);
    }

    private void AddRows(ReadOnlySpan<float> rows, int rank, double weight, Span<double> sum)
    {
        if (rank == _width)
        {
            FoldKernels.AddScaled(rows, weight, sum);
            return;
        }

        for (int i = 0, at = 0; i < rows.Length; i += rank, at += _width)
        {
            for (int j = 0; j < rank; j++)
                sum[at + j] = Math.FusedMultiplyAdd(rows[i + j], weight, sum[at + j]);
        }
    }

    private static class Buffer
    {
        public const int MeanA = 0, MeanB = 1, ScaledMeanB = 2, Spread = 3, Correction = 4, Work = 5, Gram = 6, Product = 7, Tile = 8;
        public const int NextA = 0, NextB = 1, Factor = 2;
    }
}
