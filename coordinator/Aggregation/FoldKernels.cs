using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Coordinator.Aggregation;

/// <summary>The inner loops of folding: float32 in, float64 sums, the same bits on every machine.</summary>
/// <remarks>
/// Lanes are part of the arithmetic here: always vectors of 256 bits (.NET splits them where it must), summed in a written order, and
/// fused multiply-adds, which round once everywhere. So neither the width of a register nor the number of threads changes a result.
/// Loops are optimised at once: a fold is over before the runtime would have got round to it (measured: 1.5 times the time of a whole fold).
/// Matrices are row-major; "padded" means that rows and strides are multiples of <see cref="Lanes"/> and the surplus is zero.
/// </remarks>
internal static class FoldKernels
{
    /// <summary>Multiple to which matrices are padded.</summary>
    public const int Lanes = 8;

    /// <summary>The next multiple of <see cref="Lanes"/>.</summary>
    public static int Pad(int length) => (length + Lanes - 1) / Lanes * Lanes;

    /// <summary>sum = weight * values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(ReadOnlySpan<float> values, double weight, Span<double> sum)
    {
        Vector256<double> factor = Vector256.Create(weight);
        ref float from = ref MemoryMarshal.GetReference(values);
        ref double to = ref MemoryMarshal.GetReference(sum[..values.Length]);
        int i = 0;
        for (; i <= values.Length - Lanes; i += Lanes)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
            (low * factor).StoreUnsafe(ref to, (nuint)i);
            (high * factor).StoreUnsafe(ref to, (nuint)(i + 4));
        }

        for (; i < values.Length; i++)
            sum[i] = values[i] * weight;
    }

    /// <summary>sum += weight * values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(ReadOnlySpan<float> values, double weight, Span<double> sum)
    {
        Vector256<double> factor = Vector256.Create(weight);
        ref float from = ref MemoryMarshal.GetReference(values);
        ref double to = ref MemoryMarshal.GetReference(sum[..values.Length]);
        int i = 0;
        for (; i <= values.Length - Lanes; i += Lanes)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
            Vector256.FusedMultiplyAdd(low, factor, Vector256.LoadUnsafe(ref to, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
            Vector256.FusedMultiplyAdd(high, factor, Vector256.LoadUnsafe(ref to, (nuint)(i + 4))).StoreUnsafe(ref to, (nuint)(i + 4));
        }

        for (; i < values.Length; i++)
            sum[i] = Math.FusedMultiplyAdd(values[i], weight, sum[i]);
    }

    /// <summary>Rounds float64 sums to float32, to nearest even; too large becomes infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round(ReadOnlySpan<double> sums, Span<float> values)
    {
        ref double from = ref MemoryMarshal.GetReference(sums);
        ref float to = ref MemoryMarshal.GetReference(values[..sums.Length]);
        int i = 0;
        for (; i <= sums.Length - Lanes; i += Lanes)
        {
            Vector256.Narrow(Vector256.LoadUnsafe(ref from, (nuint)i), Vector256.LoadUnsafe(ref from, (nuint)(i + 4)))
                .StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < sums.Length; i++)
            values[i] = (float)sums[i];
    }

    /// <summary>difference = values - means.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Subtract(ReadOnlySpan<float> values, ReadOnlySpan<double> means, Span<double> difference)
    {
        int i = 0;
        for (; i <= values.Length - Lanes; i += Lanes)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Create(values[i..]));
            (low - Vector256.Create(means[i..])).CopyTo(difference[i..]);
            (high - Vector256.Create(means[(i + 4)..])).CopyTo(difference[(i + 4)..]);
        }

        for (; i < values.Length; i++)
            difference[i] = values[i] - means[i];
    }

    /// <summary>sum_ij += x_i . y_j, over rows of equal length: X Y^T.</summary>
    /// <param name="x">Padded rows, <paramref name="xStride"/> apart.</param>
    /// <param name="xStride">Values from row to row.</param>
    /// <param name="y">Padded rows, <paramref name="yStride"/> apart.</param>
    /// <param name="yStride">Values from row to row.</param>
    /// <param name="length">Values of a row that count; padded.</param>
    /// <param name="size">Rows of x and of y, and stride of the sum; padded.</param>
    /// <param name="sum">size x size.</param>
    public static void AddRowProducts(
        ReadOnlySpan<double> x, int xStride, ReadOnlySpan<double> y, int yStride, int length, int size, Span<double> sum)
    {
        Span<double> block = stackalloc double[8];
        for (int i = 0; i < size; i += 4)
        {
            for (int j = 0; j < size; j += 2)
            {
                RowProducts4By2(x.Slice(i * xStride, (3 * xStride) + length), xStride, y.Slice(j * yStride, yStride + length), yStride, length, block);
                for (int k = 0; k < 8; k++)
                    sum[((i + (k / 2)) * size) + j + (k % 2)] += block[k];
            }
        }
    }

    /// <summary>sum += X Y.</summary>
    /// <param name="x">rows x inner.</param>
    /// <param name="rows">Rows of x and of the sum.</param>
    /// <param name="inner">Columns of x, rows of y.</param>
    /// <param name="y">inner x width.</param>
    /// <param name="width">Columns of y and of the sum; padded.</param>
    /// <param name="sum">rows x width.</param>
    public static void AddProduct(ReadOnlySpan<double> x, int rows, int inner, ReadOnlySpan<double> y, int width, Span<double> sum)
    {
        int i = 0;
        for (; i <= rows - 4; i += 4)
        {
            for (int j = 0; j < width; j += Lanes)
                AddProduct4(x.Slice(i * inner, 4 * inner), inner, y[j..(inner * width)], width, sum.Slice((i * width) + j, (3 * width) + Lanes));
        }

        for (; i < rows; i++)
        {
            for (int j = 0; j < width; j++)
            {
                double total = sum[(i * width) + j];
                for (int k = 0; k < inner; k++)
                    total = Math.FusedMultiplyAdd(x[(i * inner) + k], y[(k * width) + j], total);
                sum[(i * width) + j] = total;
            }
        }
    }

    /// <summary>x . y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Vector256<double> first = default, second = default;
        int i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            first = Vector256.FusedMultiplyAdd(Vector256.Create(x[i..]), Vector256.Create(y[i..]), first);
            second = Vector256.FusedMultiplyAdd(Vector256.Create(x[(i + 4)..]), Vector256.Create(y[(i + 4)..]), second);
        }

        double total = Sum(first + second);
        for (; i < x.Length; i++)
            total = Math.FusedMultiplyAdd(x[i], y[i], total);
        return total;
    }

    // Eight sums in registers: each value of x serves two of them, each of y four.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowProducts4By2(
        ReadOnlySpan<double> x, int xStride, ReadOnlySpan<double> y, int yStride, int length, Span<double> block)
    {
        ref double row = ref MemoryMarshal.GetReference(x);
        ref double column = ref MemoryMarshal.GetReference(y);
        nuint x1 = (nuint)xStride, x2 = 2 * x1, x3 = 3 * x1, y1 = (nuint)yStride;
        Vector256<double> s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
        for (nuint i = 0; i < (nuint)length; i += 4)
        {
            Vector256<double> c0 = Vector256.LoadUnsafe(ref column, i), c1 = Vector256.LoadUnsafe(ref column, i + y1);
            Vector256<double> r0 = Vector256.LoadUnsafe(ref row, i), r1 = Vector256.LoadUnsafe(ref row, i + x1);
            Vector256<double> r2 = Vector256.LoadUnsafe(ref row, i + x2), r3 = Vector256.LoadUnsafe(ref row, i + x3);
            s00 = Vector256.FusedMultiplyAdd(r0, c0, s00);
            s01 = Vector256.FusedMultiplyAdd(r0, c1, s01);
            s10 = Vector256.FusedMultiplyAdd(r1, c0, s10);
            s11 = Vector256.FusedMultiplyAdd(r1, c1, s11);
            s20 = Vector256.FusedMultiplyAdd(r2, c0, s20);
            s21 = Vector256.FusedMultiplyAdd(r2, c1, s21);
            s30 = Vector256.FusedMultiplyAdd(r3, c0, s30);
            s31 = Vector256.FusedMultiplyAdd(r3, c1, s31);
        }

        (block[0], block[1], block[2], block[3]) = (Sum(s00), Sum(s01), Sum(s10), Sum(s11));
        (block[4], block[5], block[6], block[7]) = (Sum(s20), Sum(s21), Sum(s30), Sum(s31));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddProduct4(ReadOnlySpan<double> x, int inner, ReadOnlySpan<double> y, int width, Span<double> sum)
    {
        ref double left = ref MemoryMarshal.GetReference(x);
        ref double right = ref MemoryMarshal.GetReference(y);
        ref double to = ref MemoryMarshal.GetReference(sum);
        nuint x1 = (nuint)inner, x2 = 2 * x1, x3 = 3 * x1, row = (nuint)width;
        Vector256<double> s00 = Vector256.LoadUnsafe(ref to), s01 = Vector256.LoadUnsafe(ref to, 4);
        Vector256<double> s10 = Vector256.LoadUnsafe(ref to, row), s11 = Vector256.LoadUnsafe(ref to, row + 4);
        Vector256<double> s20 = Vector256.LoadUnsafe(ref to, 2 * row), s21 = Vector256.LoadUnsafe(ref to, (2 * row) + 4);
        Vector256<double> s30 = Vector256.LoadUnsafe(ref to, 3 * row), s31 = Vector256.LoadUnsafe(ref to, (3 * row) + 4);
        for (nuint k = 0, at = 0; k < (nuint)inner; k++, at += row)
        {
            Vector256<double> c0 = Vector256.LoadUnsafe(ref right, at), c1 = Vector256.LoadUnsafe(ref right, at + 4);
            Vector256<double> r0 = Vector256.Create(Unsafe.Add(ref left, k)), r1 = Vector256.Create(Unsafe.Add(ref left, k + x1));
            Vector256<double> r2 = Vector256.Create(Unsafe.Add(ref left, k + x2)), r3 = Vector256.Create(Unsafe.Add(ref left, k + x3));
            s00 = Vector256.FusedMultiplyAdd(r0, c0, s00);
            s01 = Vector256.FusedMultiplyAdd(r0, c1, s01);
            s10 = Vector256.FusedMultiplyAdd(r1, c0, s10);
            s11 = Vector256.FusedMultiplyAdd(r1, c1, s11);
            s20 = Vector256.FusedMultiplyAdd(r2, c0, s20);
            s21 = Vector256.FusedMultiplyAdd(r2, c1, s21);
            s30 = Vector256.FusedMultiplyAdd(r3, c0, s30);
            s31 = Vector256.FusedMultiplyAdd(r3, c1, s31);
        }

        s00.StoreUnsafe(ref to);
        s01.StoreUnsafe(ref to, 4);
        s10.StoreUnsafe(ref to, row);
        s11.StoreUnsafe(ref to, row + 4);
        s20.StoreUnsafe(ref to, 2 * row);
        s21.StoreUnsafe(ref to, (2 * row) + 4);
        s30.StoreUnsafe(ref to, 3 * row);
        s31.StoreUnsafe(ref to, (3 * row) + 4);
    }

    // The order of the four is part of the result, so it is written out.
    private static double Sum(Vector256<double> lanes) => lanes[0] + lanes[1] + lanes[2] + lanes[3];
}
