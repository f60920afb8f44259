using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

/// <summary>Reads what make_golden.py wrote and compares tensors with it.</summary>
internal static class GoldenData
{
    public static JsonElement Load(string file) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", file))).RootElement;

    /// <summary>The tensor of one packed entry, in its own element type.</summary>
    public static Tensor Tensor(JsonElement entry)
    {
        long[] shape = [.. entry.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())];
        double[] values = Values(entry);
        return tensor(values, shape).to_type(Type(entry));
    }

    /// <summary>Fails unless shape, element type and every value agree; whole numbers exactly, others relatively to the largest.</summary>
    public static void Equal(JsonElement expected, Tensor actual, string what, double tolerance)
    {
        Assert.Equal(Type(expected), actual.dtype);
        Assert.Equal(expected.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64()), actual.shape);
        double[] wanted = Values(expected), got = [.. actual.detach().to_type(ScalarType.Float64).data<double>().ToArray()];
        double scale = actual.is_floating_point() ? wanted.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max() : 0;
        for (int i = 0; i < wanted.Length; i++)
        {
            bool same = wanted[i].Equals(got[i]) || Math.Abs(wanted[i] - got[i]) <= tolerance * Math.Max(scale, 1);
            Assert.True(same, $"{what}[{i}]: expected {wanted[i]:R}, got {got[i]:R}");
        }
    }

    private static double[] Values(JsonElement entry) => [.. entry.GetProperty("values").EnumerateArray().Select(Number)];

    private static double Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        JsonValueKind.String => value.GetString() switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            _ => double.NaN,
        },
        _ => double.Parse(value.GetRawText(), CultureInfo.InvariantCulture),
    };

    private static ScalarType Type(JsonElement entry) => entry.GetProperty("dtype").GetString() switch
    {
        "float32" => ScalarType.Float32,
        "float64" => ScalarType.Float64,
        "float16" => ScalarType.Float16,
        "bfloat16" => ScalarType.BFloat16,
        "int64" => ScalarType.Int64,
        "int32" => ScalarType.Int32,
        "uint8" => ScalarType.Byte,
        "bool" => ScalarType.Bool,
        string other => throw new InvalidDataException($"Golden data of type '{other}'."),
        null => throw new InvalidDataException("Golden data without a type."),
    };
}
