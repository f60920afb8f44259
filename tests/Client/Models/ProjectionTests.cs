using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>A layer computes the same however its weight is stored, with and without an adapter.</summary>
public sealed class ProjectionTests
{
    private const int Channels = 2, Height = 3, Width = 2, Inputs = Channels * Height * Width, Outputs = 5;

    public static TheoryData<WeightLayout, bool> Cases => new() { { WeightLayout.Transposed, true }, { WeightLayout.Transposed, false }, { WeightLayout.Patches, true }, { WeightLayout.Patches, false } };

    [Fact]
    public void Weight_EveryLayout_HasTheShapeInTheFile()
    {
        using Projection linear = Layer(WeightLayout.Linear, false), transposed = Layer(WeightLayout.Transposed, false), patches = Layer(WeightLayout.Patches, true);
        Assert.Equal([Outputs, Inputs], linear.Weight.shape);
        Assert.Equal([Inputs, Outputs], transposed.Weight.shape);
        Assert.Equal([Outputs, Channels, Height, Width], patches.Weight.shape);
        Assert.Equal(["weight"], transposed.named_parameters().Select(parameter => parameter.name));
        Assert.Equal(["bias", "weight"], patches.named_parameters().Select(parameter => parameter.name).Order());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_OtherLayout_GivesTheValuesAndGradientsOfTheLinearOne(WeightLayout layout, bool bias)
    {
        using DisposeScope scope = NewDisposeScope();
        using Projection linear = Layer(WeightLayout.Linear, bias), other = Layer(layout, bias);
        Check(linear, other);
        Near.Equal(InFileOrder(layout, linear.Weight.grad!), other.Weight.grad!.Floats(), 1e-5, "gradient of the weight", 1e-5);
        if (bias)
            Near.Equal(linear.Bias!.grad!.Floats(), other.Bias!.grad!.Floats(), 1e-5, "gradient of the bias", 1e-5);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_OtherLayoutWithLora_GivesTheValuesAndGradientsOfTheLinearOne(WeightLayout layout, bool bias)
    {
        using DisposeScope scope = NewDisposeScope();
        using Projection linear = Layer(WeightLayout.Linear, bias), other = Layer(layout, bias);
        Parameter[] first = Adapt(linear), second = Adapt(other);
        Check(linear, other);
        Near.Equal(InFileOrder(layout, linear.Weight.grad!), other.Weight.grad!.Floats(), 1e-5, "gradient of the weight", 1e-5);
        for (int i = 0; i < first.Length; i++)
            Near.Equal(first[i].grad!.Floats(), second[i].grad!.Floats(), 1e-5, $"gradient of factor {i}", 1e-5);
    }

    [Theory]
    [InlineData(WeightLayout.Linear)]
    [InlineData(WeightLayout.Transposed)]
    [InlineData(WeightLayout.Patches)]
    public void Matrix_WrittenTo_ChangesTheStoredWeight(WeightLayout layout)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using Projection layer = Layer(layout, false);
        float[] values = [.. Enumerable.Range(0, Outputs * Inputs).Select(i => (float)i)];
        layer.Matrix.copy_(tensor(values, [Outputs, Inputs]));
        Assert.Equal(InFileOrder(layout, tensor(values, [Outputs, Inputs])), layer.Weight.Floats().ToArray());
    }

    private static void Check(Projection linear, Projection other)
    {
        Tensor input = Input(), theirs = Input(), expected = linear.call(input), actual = other.call(theirs), weights = Drawn(9, 7, Outputs);
        Near.Equal(expected.Floats(), actual.Floats(), 1e-5, "output");
        (expected * weights).sum().backward();
        (actual * weights).sum().backward();
        Near.Equal(input.grad!.Floats(), theirs.grad!.Floats(), 1e-5, "gradient of the input", 1e-5);
    }

    private static float[] InFileOrder(WeightLayout layout, Tensor matrix) =>
        (layout == WeightLayout.Transposed ? matrix.t().contiguous() : matrix.contiguous()).Floats().ToArray();

    private static Projection Layer(WeightLayout layout, bool bias)
    {
        Projection layer = layout switch
        {
            WeightLayout.Transposed => Projection.Transposed(Inputs, Outputs, bias),
            WeightLayout.Patches => Projection.Patches(Channels, Height, Width, Outputs, bias),
            _ => new(Inputs, Outputs, bias),
        };
        using Tensor matrix = Drawn(1, Outputs, Inputs);
        InFileOrder(layout, matrix).CopyTo(layer.Weight.Floats());
        if (layer.Bias is { } offset)
            Weights.FillNormal(offset.Floats(), 1, new(2));
        return layer;
    }

    private static Parameter[] Adapt(Projection layer)
    {
        Parameter[] factors = [.. LoraAdapter.Tensors(layer, 3).Select(tensor => Weights.Allocate(tensor.Shape))];
        for (int i = 0; i < factors.Length; i++)
            Weights.FillNormal(factors[i].Floats(), 1, new((ulong)i + 3));
        layer.Adapter = new LoraAdapter(factors[0], factors[1], new(3, 0.7));
        return factors;
    }

    private static Tensor Input() => Drawn(6, 7, Inputs).requires_grad_();

    private static Tensor Drawn(ulong seed, params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        Weights.FillNormal(values, 1, new(seed));
        return tensor(values, shape);
    }
}
