using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Shared.Tensors;

/// <summary>One pass over stored values: is every one finite, and how large are they together.</summary>
public static class TensorScan
{
    private const int BlockElements = 4096;

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    /// <param name="dtype">F32, F16, BF16 or F64.</param>
    /// <param name="bytes">Little-endian elements, a whole number of them; any alignment.</param>
    /// <exception cref="ArgumentException">The type is no floating-point type, or an element is cut.</exception>
    public static int IndexOfNonFinite(DType dtype, ReadOnlySpan<byte> bytes)
    {
        CheckWhole(dtype, bytes.Length);
        return dtype switch
        {
            DType.F32 => IndexOfFullExponent(MemoryMarshal.Cast<byte, uint>(bytes), 0x7F80_0000u),
            DType.F16 => IndexOfFullExponent<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7C00),
            DType.BF16 => IndexOfFullExponent<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7F80),
            _ => IndexOfFullExponent(MemoryMarshal.Cast<byte, ulong>(bytes), 0x7FF0_0000_0000_0000ul),
        };
    }

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    /// <param name="values">The values.</param>
    public static int IndexOfNonFinite(ReadOnlySpan<float> values) =>
        IndexOfFullExponent(MemoryMarshal.Cast<float, uint>(values), 0x7F80_0000u);

    /// <summary>Whether no value is NaN or infinite.</summary>
    /// <param name="dtype">F32, F16, BF16 or F64.</param>
    /// <param name="bytes">Little-endian elements, a whole number of them; any alignment.</param>
    /// <exception cref="ArgumentException">The type is no floating-point type, or an element is cut.</exception>
    public static bool IsFinite(DType dtype, ReadOnlySpan<byte> bytes) => IndexOfNonFinite(dtype, bytes) < 0;

    /// <summary>Whether no value is NaN or infinite.</summary>
    /// <param name="values">The values.</param>
    public static bool IsFinite(ReadOnlySpan<float> values) => IndexOfNonFinite(values) < 0;

    /// <summary>Sum of the squares, in float64; the square of an L2 norm.</summary>
    /// <param name="dtype">F32, F16, BF16 or F64 (each value rounded to float32 first).</param>
    /// <param name="bytes">Little-endian elements, a whole number of them; any alignment.</param>
    /// <returns>The same bits on every machine for the same bytes.</returns>
    /// <exception cref="ArgumentException">The type is no floating-point type, or an element is cut.</exception>
    public static double SumOfSquares(DType dtype, ReadOnlySpan<byte> bytes)
    {
        CheckWhole(dtype, bytes.Length);
        if (dtype == DType.F32)
            return SumOfSquares(MemoryMarshal.Cast<byte, float>(bytes));

        Span<float> block = stackalloc float[BlockElements];
        double sum = 0;
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(BlockElements, bytes.Length / dtype.Size());
            FloatConversion.ToFloats(dtype, bytes[..(count * dtype.Size())], block[..count]);
            sum += SumOfSquares(block[..count]);
            bytes = bytes[(count * dtype.Size())..];
        }

        return sum;
    }

    /// <summary>Sum of the squares, in float64; the square of an L2 norm.</summary>
    /// <param name="values">The values.</param>
    /// <returns>The same bits on every machine for the same values: sixteen lanes whatever the width of its registers.</returns>
    public static double SumOfSquares(ReadOnlySpan<float> values)
    {
        Vector512<double> first = default, second = default;
        while (values.Length >= Vector512<float>.Count)
        {
            (Vector512<double> low, Vector512<double> high) = Vector512.Widen(Vector512.Create(values));
            first += low * low;
            second += high * high;
            values = values[Vector512<float>.Count..];
        }

        Vector512<double> lanes = first + second;
        double sum = 0;
        for (int lane = 0; lane < Vector512<double>.Count; lane++)
            sum += lanes[lane];
        foreach (float value in values)
            sum += (double)value * value;

        return sum;
    }

    // Optimised at its first call: a large tensor is one call, and in the first tier's code it would take as long as reading the file several times.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int IndexOfFullExponent<T>(ReadOnlySpan<T> bits, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector<T> mask = new(exponent);
        int i = 0;
        for (; i <= bits.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            if (Vector.EqualsAny(new Vector<T>(bits[i..]) & mask, mask))
                break;
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & exponent) == exponent)
                return i;
        }

        return -1;
    }

    private static void CheckWhole(DType dtype, int bytes)
    {
        if (!dtype.IsFloat())
            throw new ArgumentException($"{dtype.SafetensorsName()} holds no floating-point numbers.", nameof(dtype));
        if (bytes % dtype.Size() != 0)
            throw new ArgumentException($"{bytes} bytes are no whole number of {dtype.SafetensorsName()} elements.", nameof(bytes));
    }
}
