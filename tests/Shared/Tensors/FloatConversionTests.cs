using System.Runtime.InteropServices;
using Federated.Shared.Tensors;

namespace Federated.Shared.Tests.Tensors;

/// <summary>Every 16-bit value both ways, and rounding at every boundary between two of them.</summary>
public sealed class FloatConversionTests
{
    private static readonly ushort[] All16 = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];

    [Fact]
    public void ToFloats_EveryF16Value_IsSystemHalfs()
    {
        float[] floats = Widen(DType.F16, All16);
        for (int i = 0; i < 65536; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            Assert.True(BitConverter.SingleToUInt32Bits(expected) == BitConverter.SingleToUInt32Bits(floats[i]) || (float.IsNaN(expected) && float.IsNaN(floats[i])), $"{i:x4}");
        }
    }

    [Fact]
    public void ToFloats_EveryBF16Value_IsTheUpperHalfOfAFloat()
    {
        float[] floats = Widen(DType.BF16, All16);
        for (int i = 0; i < 65536; i++)
            Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(floats[i]));
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void FromFloats_OfEveryWidenedValue_GivesItBack(DType dtype)
    {
        float[] floats = Widen(dtype, All16);
        ushort[] back = Round(dtype, floats);
        for (int i = 0; i < 65536; i++)
        {
            if (float.IsNaN(floats[i]))
                Assert.True(float.IsNaN(Widen(dtype, [back[i]])[0]), $"{i:x4}");
            else
                Assert.Equal(All16[i], back[i]);
        }
    }

    [Theory]
    [InlineData(DType.F16, 0x7c00)]
    [InlineData(DType.BF16, 0x7f80)]
    public void FromFloats_BetweenTwoNeighbours_RoundsToNearestEven(DType dtype, int infinity)
    {
        // Below infinity the bit patterns are ordered like the values. float64 holds every midpoint exactly.
        ushort[] finite = All16[..infinity];
        float[] values = Widen(dtype, finite);
        List<float> inputs = [];
        List<ushort> expected = [];
        for (int i = 0; i + 1 < values.Length; i++)
        {
            float middle = (float)(((double)values[i] + values[i + 1]) / 2);
            Assert.Equal(((double)values[i] + values[i + 1]) / 2, middle);
            inputs.AddRange([middle, MathF.BitDecrement(middle), MathF.BitIncrement(middle), -middle]);
            ushort even = finite[i + (i & 1)];
            expected.AddRange([even, finite[i], finite[i + 1], (ushort)(even | 0x8000)]);
        }

        Assert.Equal(expected, Round(dtype, [.. inputs]));
    }

    [Theory]
    [InlineData(DType.F16, 65519.996f, 0x7bff)]
    [InlineData(DType.F16, 65520f, 0x7c00)] // half-way above the largest: infinity
    [InlineData(DType.BF16, float.MaxValue, 0x7f80)]
    [InlineData(DType.BF16, float.NegativeInfinity, 0xff80)]
    public void FromFloats_AroundTheLargest_BecomesInfinity(DType dtype, float value, int expected) =>
        Assert.Equal((ushort)expected, Round(dtype, [value])[0]);

    [Theory]
    [InlineData(0x7f800001u)] // only low payload bits: must not be cut to infinity
    [InlineData(0x7fffffffu)] // must not carry into minus zero
    [InlineData(0xffffffffu)]
    public void FromFloats_NaNToBF16_StaysNaN(uint bits)
    {
        float nan = BitConverter.UInt32BitsToSingle(bits);
        Assert.All(Round(DType.BF16, [.. Enumerable.Repeat(nan, 33)]), r => Assert.True(float.IsNaN(Widen(DType.BF16, [r])[0])));
    }

    [Fact]
    public void Conversions_F64_RoundsOnceAndWidensExactly()
    {
        double[] doubles = [0.1, -1e300, 1e-300, Math.PI, double.NaN, -0.0, 1 + Math.Pow(2, -24), 1 + Math.Pow(2, -24) + Math.Pow(2, -50), 3];
        float[] floats = new float[doubles.Length];
        FloatConversion.ToFloats(DType.F64, MemoryMarshal.AsBytes<double>(doubles), floats);
        Assert.Equal(doubles.Select(d => (float)d), floats);
        byte[] back = new byte[doubles.Length * 8];
        FloatConversion.FromFloats(DType.F64, floats, back);
        Assert.Equal(floats.Select(f => (double)f), MemoryMarshal.Cast<byte, double>(back).ToArray());
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F32)]
    [InlineData(DType.F64)]
    public void Conversions_OddLengthsAndAddresses_GiveTheSameValues(DType dtype)
    {
        float[] values = [.. Enumerable.Range(0, 67).Select(i => (i - 33) * 0.25f)];
        for (int length = 0; length <= values.Length; length++)
        {
            byte[] buffer = new byte[(length * dtype.Size()) + 1];
            FloatConversion.FromFloats(dtype, values.AsSpan(0, length), buffer.AsSpan(1));
            float[] back = new float[length];
            FloatConversion.ToFloats(dtype, buffer.AsSpan(1), back.AsSpan());
            Assert.Equal(values[..length], back);
        }
    }

    [Fact]
    public void Conversions_WrongLengthOrType_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => FloatConversion.ToFloats(DType.F16, new byte[3], new float[1]));
        Assert.Throws<ArgumentException>(() => FloatConversion.FromFloats(DType.F32, new float[2], new byte[7]));
        Assert.Throws<ArgumentException>(() => FloatConversion.ToFloats(DType.I32, new byte[4], new float[1]));
    }

    private static float[] Widen(DType dtype, ushort[] bits)
    {
        float[] floats = new float[bits.Length];
        FloatConversion.ToFloats(dtype, MemoryMarshal.AsBytes<ushort>(bits), floats);
        return floats;
    }

    private static ushort[] Round(DType dtype, float[] values)
    {
        ushort[] bits = new ushort[values.Length];
        FloatConversion.FromFloats(dtype, values, MemoryMarshal.AsBytes(bits.AsSpan()));
        return bits;
    }
}
