using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Coordinator.Aggregation;

/// <summary>Products of all pairs of rows of two stacks, stored in panels of sixteen rows: float32 in, float64 between calls.</summary>
/// <remarks>Value j of row i lies at (i / 16) * 16 * length + 16 * j + i % 16: a step along the rows loads sixteen neighbours.</remarks>
internal static class PanelProducts
{
    /// <summary>Rows of a panel.</summary>
    public const int Width = 16;

    // Two stretches of panels this long, 8 KiB each, stay in the first-level cache while four times four rows go over them.
    private const int Stretch = 128;
    private const int Rows = 4;
    private const int Block = Width * Width;

    /// <summary>The next multiple of <see cref="Width"/>.</summary>
    public static int Pad(int rows) => (rows + Width - 1) / Width * Width;

    /// <summary>Where the first value of row <paramref name="row"/> lies.</summary>
    public static int Index(int row, int length) => (row / Width * Width * length) + (row % Width);

    /// <summary>gram += left right^T.</summary>
    /// <param name="left">Stack of padded rows.</param>
    /// <param name="right">Stack of padded rows.</param>
    /// <param name="length">Values in a row.</param>
    /// <param name="symmetric">left is right: panels below the diagonal are left out.</param>
    /// <param name="gram">Rows of left x rows of right.</param>
    public static void AddGram(ReadOnlySpan<float> left, ReadOnlySpan<float> right, int length, bool symmetric, Span<double> gram)
    {
        Span<float> block = stackalloc float[Block];
        int size = Width * length, stride = right.Length / length;
        for (int b = 0; b < right.Length / size; b++)
        {
            for (int a = 0; a < (symmetric ? b + 1 : left.Length / size); a++)
            {
                Multiply(left.Slice(a * size, size), right.Slice(b * size, size), block);
                for (int i = 0; i < Width; i++)
                    FoldKernels.AddScaled(block.Slice(i * Width, Width), 1, gram[((((a * Width) + i) * stride) + (b * Width))..]);
            }
        }
    }

    /// <summary>sum_ab gram_ab (left right^T)_ab; of a symmetric product, what lies beside the diagonal counts twice.</summary>
    public static double InnerProduct(ReadOnlySpan<float> left, ReadOnlySpan<float> right, int length, bool symmetric, ReadOnlySpan<double> gram)
    {
        Span<float> block = stackalloc float[Block];
        Span<double> wide = stackalloc double[Width];
        int size = Width * length, stride = right.Length / length;
        double total = 0;
        for (int b = 0; b < right.Length / size; b++)
        {
            for (int a = 0; a < (symmetric ? b + 1 : left.Length / size); a++)
            {
                Multiply(left.Slice(a * size, size), right.Slice(b * size, size), block);
                double sum = 0;
                for (int i = 0; i < Width; i++)
                {
                    FoldKernels.Scale(block.Slice(i * Width, Width), 1, wide);
                    sum += FoldKernels.Dot(wide, gram.Slice((((a * Width) + i) * stride) + (b * Width), Width));
                }

                total += symmetric && a < b ? 2 * sum : sum;
            }
        }

        return total;
    }

    /// <summary>block = left right^T for one panel each.</summary>
    private static void Multiply(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> block)
    {
        block.Clear();
        for (int start = 0; start < right.Length; start += Stretch * Width)
        {
            int length = Math.Min(Stretch * Width, right.Length - start);
            for (int row = 0; row < Width; row += Rows)
                AddFourRows(left.Slice(start, length), row, right.Slice(start, length), block.Slice(row * Width, Rows * Width));
        }
    }

    // Four rows of the left panel by all sixteen of the right one: eight sums in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFourRows(ReadOnlySpan<float> left, int row, ReadOnlySpan<float> right, Span<float> block)
    {
        ref float rows = ref Unsafe.Add(ref MemoryMarshal.GetReference(left), row);
        ref float columns = ref MemoryMarshal.GetReference(right);
        ref float to = ref MemoryMarshal.GetReference(block);
        Vector256<float> s00 = Vector256.LoadUnsafe(ref to), s01 = Vector256.LoadUnsafe(ref to, 8);
        Vector256<float> s10 = Vector256.LoadUnsafe(ref to, 16), s11 = Vector256.LoadUnsafe(ref to, 24);
        Vector256<float> s20 = Vector256.LoadUnsafe(ref to, 32), s21 = Vector256.LoadUnsafe(ref to, 40);
        Vector256<float> s30 = Vector256.LoadUnsafe(ref to, 48), s31 = Vector256.LoadUnsafe(ref to, 56);
        for (nuint at = 0; at < (nuint)right.Length; at += Width)
        {
            Vector256<float> c0 = Vector256.LoadUnsafe(ref columns, at), c1 = Vector256.LoadUnsafe(ref columns, at + 8);
            Vector256<float> r0 = Vector256.Create(Unsafe.Add(ref rows, at)), r1 = Vector256.Create(Unsafe.Add(ref rows, at + 1));
            Vector256<float> r2 = Vector256.Create(Unsafe.Add(ref rows, at + 2)), r3 = Vector256.Create(Unsafe.Add(ref rows, at + 3));
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
        s01.StoreUnsafe(ref to, 8);
        s10.StoreUnsafe(ref to, 16);
        s11.StoreUnsafe(ref to, 24);
        s20.StoreUnsafe(ref to, 32);
        s21.StoreUnsafe(ref to, 40);
        s30.StoreUnsafe(ref to, 48);
        s31.StoreUnsafe(ref to, 56);
    }
}
