using System.Numerics;

namespace Federated.Client.Training;

/// <summary>Sums over gradients.</summary>
internal static class Gradients
{
    // Short enough that a float sum inside one block keeps its precision.
    private const int Block = 1024;

    /// <summary>Sum of squares: float32 inside short blocks, float64 over them, in an order that depends on the length alone.</summary>
    internal static double SumOfSquares(ReadOnlySpan<float> values)
    {
        double total = 0;
        for (int start = 0; start < values.Length; start += Block)
        {
            ReadOnlySpan<float> block = values.Slice(start, Math.Min(Block, values.Length - start));
            Vector<float> lanes = Vector<float>.Zero;
            int i = 0;
            for (int width = Vector<float>.Count; i <= block.Length - width; i += width)
            {
                Vector<float> lane = new(block[i..]);
                lanes += lane * lane;
            }

            double rest = 0;
            for (; i < block.Length; i++)
                rest += (double)block[i] * block[i];
            total += Vector.Sum(lanes) + rest;
        }

        return total;
    }
}
