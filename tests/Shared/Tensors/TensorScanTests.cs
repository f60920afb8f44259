using System.Runtime.InteropServices;
using Federated.Shared.Tensors;

namespace Federated.Shared.Tests.Tensors;

public sealed class TensorScanTests
{
    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void IsFinite_Every16BitValue_AgreesWithTheRuntime(DType dtype)
    {
        for (int i = 0; i < 65536; i++)
        {
            ushort[] value = [(ushort)i];
            float[] widened = new float[1];
            FloatConversion.ToFloats(dtype, MemoryMarshal.AsBytes<ushort>(value), widened);
            Assert.Equal(float.IsFinite(widened[0]), TensorScan.IsFinite(dtype, MemoryMarshal.AsBytes<ushort>(value)));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void IndexOfNonFinite_AtEveryPlace_FindsTheFirst(float poison)
    {
        for (int length = 1; length < 70; length++)
        {
            float[] values = [.. Enumerable.Repeat(float.MaxValue, length)];
            Assert.Equal(-1, TensorScan.IndexOfNonFinite(values));
            values[^1] = poison;
            for (int at = length - 1; at >= 0; at--)
            {
                values[at] = poison;
                Assert.Equal(at, TensorScan.IndexOfNonFinite(values));
                Assert.Equal(at, TensorScan.IndexOfNonFinite(DType.F32, MemoryMarshal.AsBytes<float>(values)));
            }
        }
    }

    [Fact]
    public void IndexOfNonFinite_F64_LooksAtTheWideExponent()
    {
        double[] values = [1e300, -1e-310, double.NegativeInfinity];
        Assert.Equal(2, TensorScan.IndexOfNonFinite(DType.F64, MemoryMarshal.AsBytes<double>(values)));
    }

    [Fact]
    public void SumOfSquares_LargeAndTinyValues_AreSummedInFloat64()
    {
        // 2^127 squared overflows float32; 33 elements meet both the vector and the scalar part.
        float[] values = [.. Enumerable.Repeat(MathF.Pow(2, 100), 33)];
        Assert.Equal(33 * Math.Pow(2, 200), TensorScan.SumOfSquares(values));
        Assert.Equal(0.25 * 5, TensorScan.SumOfSquares([0.5f, 0.5f, -0.5f, 0.5f, -0.5f]));
        Assert.Equal(0, TensorScan.SumOfSquares([]));
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F64)]
    public void SumOfSquares_StoredTypes_SumTheStoredValues(DType dtype)
    {
        float[] values = [.. Enumerable.Range(0, 10_000).Select(i => (i % 17) * 0.5f)]; // exact in every type
        byte[] stored = new byte[values.Length * dtype.Size()];
        FloatConversion.FromFloats(dtype, values, stored);
        Assert.Equal(values.Sum(v => (double)v * v), TensorScan.SumOfSquares(dtype, stored));
    }

    [Fact]
    public void AnyScan_CutElementOrIntegers_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => TensorScan.IsFinite(DType.F32, new byte[6]));
        Assert.Throws<ArgumentException>(() => TensorScan.SumOfSquares(DType.I32, new byte[8]));
    }
}
