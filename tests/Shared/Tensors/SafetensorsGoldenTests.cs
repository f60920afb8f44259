using System.Buffers.Binary;
using System.Text.Json;
using Federated.Shared.Tensors;
using Federated.Tests.Support;

namespace Federated.Shared.Tests.Tensors;

/// <summary>A file and its values from numpy: <c>golden.py</c> beside this file makes both.</summary>
public sealed class SafetensorsGoldenTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Shared", "Tensors");

    [Theory]
    [InlineData("f64")]
    [InlineData("f32")]
    [InlineData("f16")]
    [InlineData("bf16")]
    [InlineData("scalar")]
    [InlineData("empty")]
    public void ReadFloats_EveryFloatType_GivesNumpysValues(string name)
    {
        using SafetensorsFile sut = SafetensorsFile.Open(Path.Combine(Folder, "golden.safetensors"));
        JsonElement golden = Golden(name);
        float[] expected = [.. golden.GetProperty("floats").EnumerateArray().Select(hex => BinaryPrimitives.ReadSingleBigEndian(Convert.FromHexString(hex.GetString()!)))];
        TensorInfo tensor = sut.Info(name);
        float[] whole = new float[tensor.ElementCount];
        sut.ReadFloats(tensor, whole);

        Assert.Equal(expected, whole);
        Assert.Equal(golden.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64()), tensor.Shape);
        for (int first = 0; first <= whole.Length; first++)
        {
            float[] slice = new float[(whole.Length - first) / 2];
            sut.ReadFloats(tensor, first, slice);
            Assert.Equal(expected[first..(first + slice.Length)], slice);
        }
    }

    [Fact]
    public void Bytes_IntegersAndFlags_AreTheStoredOnes()
    {
        using SafetensorsFile sut = SafetensorsFile.Open(Path.Combine(Folder, "golden.safetensors"));
        Assert.Equal([1, 0, 1], sut.Bytes(sut.Info("flags")).ToArray());
        ReadOnlySpan<byte> ints = sut.Bytes(sut.Info("ints"));
        Assert.Equal([long.MinValue, -1, 0, long.MaxValue], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(ints).ToArray());
        Assert.Equal("pt", sut.Metadata["format"]);
    }

    [Fact]
    public void SumOfSquares_OfNumpysValues_IsNumpysSum()
    {
        using SafetensorsFile sut = SafetensorsFile.Open(Path.Combine(Folder, "golden.safetensors"));
        Assert.Equal(Golden("f32").GetProperty("sum_of_squares").GetDouble(), TensorScan.SumOfSquares(DType.F32, sut.Bytes(sut.Info("f32"))), tolerance: 1e-12);
    }

    private static JsonElement Golden(string name)
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "golden.json")));
        return golden.RootElement.GetProperty(name).Clone();
    }
}
