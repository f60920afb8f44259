using System.Runtime.CompilerServices;

namespace Federated.Coordinator.Aggregation;

/// <summary>norm(R)^2 of the spread R = sum_k p_k (s_k / s B_k - Bs)(A_k - Abar), without forming R.</summary>
/// <remarks>
/// With the rows of all p_k (A_k - Abar) stacked as X and the columns of all (s_k / s B_k - Bs) stacked as Y, both with K r rows,
/// norm(R)^2 = sum_ab (X X^T)_ab (Y Y^T)_ab. Updates are taken in groups of at most <see cref="MaxRows"/> stacked rows, and groups in pairs, so
/// memory does not grow with K; arithmetic does, as (K r)^2 (m + n) / 2.
/// Precision: factors are centred in float64, then rounded to float32; products are summed in float32 over a tile and in float64 over tiles.
/// Centring leaves nothing to cancel, so the relative error of the norm stays near 1e-6 however small the spread is.
/// </remarks>
internal sealed class SpreadNorm
{
    private const int MaxRows = 1024;
    private const int TileLength = 1024;
    private const int TransposedAtATime = 64;
    private const int GramSlot = 20, LeftSlot = 20, RightSlot = 21, FactorSlot = 22;

    private readonly AggregationRound _round;
    private readonly LoraPair _pair;
    private readonly FoldScratch _scratch;
    private readonly Group _left;
    private readonly Group _right;

    private SpreadNorm(AggregationRound round, LoraPair pair, FoldScratch scratch, Group left, Group right)
    {
        _round = round;
        _pair = pair;
        _scratch = scratch;
        _left = left;
        _right = right;
    }

    private bool IsDiagonal => _left.First == _right.First;

    /// <summary>Computes the square of the norm.</summary>
    /// <param name="round">The round.</param>
    /// <param name="pair">The layer.</param>
    /// <param name="meanA">Abar; rows are the padded number of columns apart.</param>
    /// <param name="meanB">Bs; rows are the padded rank apart.</param>
    /// <param name="scratch">Buffers; slots from 20 on are used.</param>
    /// <param name="cancellation">Ends the work early.</param>
    public static double Square(
        AggregationRound round, LoraPair pair, ReadOnlySpan<double> meanA, ReadOnlySpan<double> meanB, FoldScratch scratch, CancellationToken cancellation)
    {
        int size = Math.Max(1, MaxRows / pair.Rank), count = round.Updates.Count;
        double total = 0;
        for (int left = 0; left < count; left += size)
        {
            for (int right = left; right < count; right += size)
            {
                SpreadNorm groups = new(
                    round, pair, scratch, new(left, Math.Min(size, count - left), pair.Rank), new(right, Math.Min(size, count - right), pair.Rank));
                Span<double> gram = groups.GramOfA(meanA, cancellation);
                total += (left == right ? 1 : 2) * groups.InnerProductWithB(gram, meanB, cancellation);
            }
        }

        return total;
    }

    private Span<double> GramOfA(ReadOnlySpan<double> meanA, CancellationToken cancellation)
    {
        Span<double> gram = _scratch.Doubles(GramSlot, _left.PaddedRows * _right.PaddedRows);
        gram.Clear();
        for (int first = 0; first < _pair.Inputs; first += TileLength)
        {
            cancellation.ThrowIfCancellationRequested();
            int length = Math.Min(TileLength, _pair.Inputs - first);
            Span<float> left = PackA(_left, LeftSlot, first, length, meanA);
            Span<float> right = IsDiagonal ? left : PackA(_right, RightSlot, first, length, meanA);
            PanelProducts.AddGram(left, right, length, IsDiagonal, gram);
        }

        return gram;
    }

    private double InnerProductWithB(ReadOnlySpan<double> gram, ReadOnlySpan<double> meanB, CancellationToken cancellation)
    {
        double total = 0;
        for (int first = 0; first < _pair.Outputs; first += TileLength)
        {
            cancellation.ThrowIfCancellationRequested();
            int length = Math.Min(TileLength, _pair.Outputs - first);
            Span<float> left = PackB(_left, LeftSlot, first, length, meanB);
            Span<float> right = IsDiagonal ? left : PackB(_right, RightSlot, first, length, meanB);
            total += PanelProducts.InnerProduct(left, right, length, IsDiagonal, gram);
        }

        return total;
    }

    /// <summary>Columns of p_k (A_k - Abar) for one group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Span<float> PackA(Group group, int slot, int first, int length, ReadOnlySpan<double> meanA)
    {
        Span<float> tile = _scratch.Floats(slot, group.PaddedRows * length), values = _scratch.Floats(FactorSlot, _pair.Rank * length);
        group.ClearPadding(tile, length);
        int stride = FoldKernels.Pad(_pair.Inputs);
        for (int k = group.First; k < group.First + group.Count; k++)
        {
            values.Clear();
            for (int i = 0; i < _pair.RankOf(k); i++)
                _pair.ReadA(k, i, first, values.Slice(i * length, length));

            // In short stretches, so that the lines written stay in cache until all their rows have come.
            for (int start = 0; start < length; start += TransposedAtATime)
            {
                int columns = Math.Min(TransposedAtATime, length - start);
                for (int i = 0; i < _pair.Rank; i++)
                {
                    ReadOnlySpan<float> row = values.Slice((i * length) + start, columns);
                    ReadOnlySpan<double> mean = meanA.Slice((i * stride) + first + start, columns);
                    Span<float> lane = tile[(PanelProducts.Index(group.Row(k, i), length) + (start * PanelProducts.Width))..];
                    for (int j = 0; j < row.Length; j++)
                        lane[j * PanelProducts.Width] = (float)(_round.Weights[k] * (row[j] - mean[j]));
                }
            }
        }

        return tile;
    }

    /// <summary>Rows of s_k / s B_k - Bs for one group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Span<float> PackB(Group group, int slot, int first, int length, ReadOnlySpan<double> meanB)
    {
        Span<float> tile = _scratch.Floats(slot, group.PaddedRows * length);
        group.ClearPadding(tile, length);
        int stride = FoldKernels.Pad(_pair.Rank);
        for (int k = group.First; k < group.First + group.Count; k++)
        {
            int rank = _pair.RankOf(k);
            double scaling = _round.Updates[k].Scaling / _round.Scaling;
            Span<float> values = _scratch.Floats(FactorSlot, length * rank);
            _pair.ReadB(k, first, values);

            // The columns of one update may lie in several panels: each run of neighbours in turn.
            for (int i = 0; i < _pair.Rank;)
            {
                int at = group.Row(k, i), run = Math.Min(_pair.Rank - i, PanelProducts.Width - (at % PanelProducts.Width));
                Span<float> lanes = tile[PanelProducts.Index(at, length)..];
                for (int j = 0; j < length; j++)
                {
                    ReadOnlySpan<float> row = values.Slice((j * rank) + Math.Min(i, rank), Math.Clamp(rank - i, 0, run));
                    ReadOnlySpan<double> mean = meanB.Slice(((first + j) * stride) + i, run);
                    Span<float> centred = lanes.Slice(j * PanelProducts.Width, run);
                    for (int c = 0; c < centred.Length; c++)
                        centred[c] = (float)((c < row.Length ? scaling * row[c] : 0) - mean[c]);
                }

                i += run;
            }
        }

        return tile;
    }

    /// <summary>Updates that are stacked together.</summary>
    private readonly record struct Group(int First, int Count, int Rank)
    {
        public int PaddedRows => PanelProducts.Pad(Count * Rank);

        public int Row(int k, int i) => ((k - First) * Rank) + i;

        /// <summary>Only the last panel has rows that belong to no update.</summary>
        public void ClearPadding(Span<float> tile, int length) => tile[((PaddedRows - PanelProducts.Width) * length)..].Clear();
    }
}
