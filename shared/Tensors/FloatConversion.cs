using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Federated.Shared.Tensors;

/// <summary>Conversions between float32 and the stored floating-point types; vectorised, rounding to nearest even.</summary>
/// <remarks>Every value that the target holds converts exactly, subnormals and signed zeros included; NaN stays NaN; too large becomes infinity.</remarks>
public static class FloatConversion
{
    /// <summary>Widens or rounds stored elements to float32.</summary>
    /// <param name="dtype">F32, F16, BF16 or F64.</param>
    /// <param name="source">Little-endian elements, as many as <paramref name="destination"/> has; any alignment.</param>
    /// <param name="destination">The values.</param>
    /// <exception cref="ArgumentException">The lengths disagree, or the type is no floating-point type.</exception>
    public static void ToFloats(DType dtype, ReadOnlySpan<byte> source, Span<float> destination)
    {
        CheckLengths(dtype, source.Length, destination.Length);
        switch (dtype)
        {
            case DType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case DType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);
                break;
            case DType.BF16:
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), MemoryMarshal.Cast<float, uint>(destination));
                break;
            case DType.F64:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source), destination);
                break;
        }
    }

    /// <summary>Rounds or widens float32 values to a stored type.</summary>
    /// <param name="dtype">F32, F16, BF16 or F64.</param>
    /// <param name="source">The values.</param>
    /// <param name="destination">Little-endian elements, as many as <paramref name="source"/> has; any alignment.</param>
    /// <exception cref="ArgumentException">The lengths disagree, or the type is no floating-point type.</exception>
    public static void FromFloats(DType dtype, ReadOnlySpan<float> source, Span<byte> destination)
    {
        CheckLengths(dtype, destination.Length, source.Length);
        switch (dtype)
        {
            case DType.F32:
                MemoryMarshal.AsBytes(source).CopyTo(destination);
                break;
            case DType.F16:
                TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<byte, Half>(destination));
                break;
            case DType.BF16:
                RoundToBFloat16(MemoryMarshal.Cast<float, uint>(source), MemoryMarshal.Cast<byte, ushort>(destination));
                break;
            case DType.F64:
                TensorPrimitives.ConvertTruncating(source, MemoryMarshal.Cast<byte, double>(destination));
                break;
        }
    }

    private static void CheckLengths(DType dtype, int bytes, int values)
    {
        if (!dtype.IsFloat())
            throw new ArgumentException($"{dtype.SafetensorsName()} holds no floating-point numbers.", nameof(dtype));
        if (bytes != (long)values * dtype.Size())
            throw new ArgumentException($"{bytes} bytes of {dtype.SafetensorsName()} for {values} values; wanted {(long)values * dtype.Size()} bytes.");
    }

    // Optimised at its first call, as is its counterpart: loading a model is over before the runtime would come to it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<uint> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            (low << 16).CopyTo(destination[i..]);
            (high << 16).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
            destination[i] = (uint)source[i] << 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RoundToBFloat16(ReadOnlySpan<uint> source, Span<ushort> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector<uint> low = Round(new Vector<uint>(source[i..]));
            Vector<uint> high = Round(new Vector<uint>(source[(i + Vector<uint>.Count)..]));
            Vector.Narrow(low, high).CopyTo(destination[i..]);
        }

        for (; i < source.Length; i++)
            destination[i] = Round(source[i]);
    }

    // Adding just under half of the dropped part, plus the last kept bit, carries exactly when nearest-even rounds up.
    // A NaN could carry into infinity or lose its payload: it is cut and made quiet instead.
    private static Vector<uint> Round(Vector<uint> bits)
    {
        Vector<uint> rounded = (bits + new Vector<uint>(0x7FFF) + ((bits >>> 16) & Vector<uint>.One)) >>> 16;
        Vector<uint> quiet = (bits >>> 16) | new Vector<uint>(0x40);
        Vector<uint> isNaN = Vector.GreaterThan(bits & new Vector<uint>(0x7FFF_FFFF), new Vector<uint>(0x7F80_0000));
        return Vector.ConditionalSelect(isNaN, quiet, rounded);
    }

    private static ushort Round(uint bits) =>
        (bits & 0x7FFF_FFFF) > 0x7F80_0000
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
