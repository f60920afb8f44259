using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>A fused operator beside its composed form, with the shapes of the inputs to compare them on.</summary>
internal sealed record FusedOperation(long[][] Shapes, Func<Tensor[], Tensor> Fused, Func<Tensor[], Tensor> Composed)
{
    internal int Inputs => Shapes.Length;

    /// <summary>Seeded float32 inputs in [-1, 1); those that <paramref name="trained"/> names want gradients.</summary>
    internal Tensor[] Draw(Func<int, bool> trained, bool strided = false)
    {
        Random random = new(23);
        return
        [
            .. Shapes.Select((shape, i) =>
            {
                float[] values = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => (2 * random.NextSingle()) - 1)];
                Tensor input = tensor(values, shape);
                // Every second number of a tensor twice as large.
                return (strided ? stack([input, zeros_like(input)], -1).select(-1, 0) : input).requires_grad_(trained(i));
            }),
        ];
    }

    /// <summary>Compares values and gradients, float32 against float64.</summary>
    internal void Check(string name, Func<int, bool> trained, bool strided = false)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = Draw(trained, strided), exact = [.. inputs.Select((input, i) => input.detach().to_type(ScalarType.Float64).contiguous().requires_grad_(trained(i)))];
        Tensor actual = Fused(inputs), expected = Composed(exact);
        Assert.Equal(expected.shape, actual.shape);
        Equal(expected, actual, $"{name}: value");

        Random random = new(29);
        Tensor weights = tensor(Enumerable.Range(0, (int)expected.numel()).Select(_ => (2 * random.NextDouble()) - 1).ToArray(), expected.shape);
        (expected * weights).sum().backward();
        (actual * weights.to_type(ScalarType.Float32)).sum().backward();
        for (int i = 0; i < inputs.Length; i++)
        {
            if (trained(i))
                Equal(exact[i].grad!, inputs[i].grad!, $"{name}: gradient of input {i}");
            else
                Assert.Null(inputs[i].grad);
        }
    }

    private static void Equal(Tensor expected, Tensor actual, string what)
    {
        float[] values = expected.detach().to_type(ScalarType.Float32).contiguous().Floats().ToArray();
        float largest = values.Max(Math.Abs);
        // Sums of float32 products round relative to the largest terms, not to the sum.
        Near.Equal(values, actual.detach().contiguous().Floats(), 2e-6 * Math.Max(1, largest), what, 2e-6);
    }
}
