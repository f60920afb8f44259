using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Coordinator.Aggregation;

/// <summary>Products of all pairs of rows of two stacks, stored in panels of sixteen rows: float32 in, float64 between tiles.</summary>
/// <remarks>Value j of row i lies at (i / 16) * 16 * length + 16 * j + i % 16: a step along the rows loads sixteen neighbours.</remarks>
internal static class PanelProducts
{
    /// <summary>Rows of a panel.</summary>
    public const int Width = 16;

    private const int Rows = 4;
    private const int Block = Rows * Width;

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
        int panels = right.Length / length / Width;
        for (int b = 0; b < panels; b++)
        {
            for (int a = 0; a < LastPanel(left, length, symmetric, b); a++)
            {
                for (int row = 0; row < Width; row += Rows)
                {
                    Multiply(left.Slice(a * Width * length, Width * length), row, right.Slice(b * Width * length, Width * length), block);
                    for (int i = 0; i < Block; i++)
                        gram[(((a * Width) + row + (i / Width)) * panels * Width) + (b * Width) + (i % Width)] += block[i];
                }
            }
        }
    }

    /// <summary>sum_ab gram_ab (left right^T)_ab; of a symmetric product, what lies beside the diagonal counts twice.</summary>
    public static double InnerProduct(ReadOnlySpan<float> left, ReadOnlySpan<float> right, int length, bool symmetric, ReadOnlySpan<double> gram)
    {
        Span<float> block = stackalloc float[Block];
        int panels = right.Length / length / Width;
        double total = 0;
        for (int b = 0; b < panels; b++)
        {
            for (int a = 0; a < LastPanel(left, length, symmetric, b); a++)
            {
                double sum = 0;
                for (int row = 0; row < Width; row += Rows)
                {
                    Multiply(left.Slice(a * Width * length, Width * length), row, right.Slice(b * Width * length, Width * length), block);
                    for (int i = 0; i < Block; i++)
                        sum += gram[(((a * Width) + row + (i / Width)) * panels * Width) + (b * Width) + (i % Width)] * block[i];
                }

                total += symmetric && a < b ? 2 * sum : sum;
            }
        }

        return total;
    }

    private static int LastPanel(ReadOnlySpan<float> left, int length, bool symmetric, int b) => symmetric ? b + 1 : left.Length / length / Width;

    // Four rows of the left panel by all sixteen of the right one: eight sums in registers.
    private static void Multiply(ReadOnlySpan<float> left, int row, ReadOnlySpan<float> right, Span<float> block)
    {
        ref float rows = ref Unsafe.Add(ref MemoryMarshal.GetReference(left), row);
        ref float columns = ref MemoryMarshal.GetReference(right);
        Vector256<float> s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
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

        s00.CopyTo(block);
        s01.CopyTo(block[8..]);
        s10.CopyTo(block[16..]);
        s11.CopyTo(block[24..]);
        s20.CopyTo(block[32..]);
        s21.CopyTo(block[40..]);
        s30.CopyTo(block[48..]);
        s31.CopyTo(block[56..]);
    }
}
