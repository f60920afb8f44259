using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Adapters;

public sealed class LoraAdapterTests
{
    private const int Inputs = 6, Outputs = 5;

    [Fact]
    public void Forward_FreshAdapter_EqualsTheBase()
    {
        using DisposeScope scope = NewDisposeScope();
        using Projection layer = Layer(training: true);
        LoraAdapter adapter = Adapter(layer, 2, 0.5, out _);
        adapter.Initialise(layer.Matrix, new(1));
        Tensor input = Input();
        float[] plain = layer.call(input).Floats().ToArray();
        layer.Adapter = adapter;
        Near.Equal(plain, layer.call(input).Floats(), 1e-6, "output");
    }

    [Fact]
    public void Merge_TrainedAdapter_GivesTheSameOutput()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using Projection layer = Layer(training: false), merged = Layer(training: false);
        LoraAdapter adapter = Trained(layer, dropout: 0.5);
        Tensor input = Input();
        layer.Adapter = adapter;
        (Tensor weight, Tensor? bias) = adapter.Merge(layer.Weight, layer.Bias);
        merged.Weight.copy_(weight);
        merged.Bias!.copy_(bias!);
        Near.Equal(layer.call(input).Floats(), merged.call(input).Floats(), 1e-5, "output");
        Assert.NotEqual(layer.Weight.Floats().ToArray(), merged.Weight.Floats().ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Forward_Dropout_ActsInTrainingOnly(bool training)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using Projection layer = Layer(training);
        LoraAdapter adapter = Trained(layer, dropout: 0.5);
        layer.Adapter = adapter;
        Tensor input = Input();
        float[] first = layer.call(input).Floats().ToArray(), second = layer.call(input).Floats().ToArray();
        Assert.Equal(!training, first.SequenceEqual(second));
    }

    [Fact]
    public void Initialise_A_IsKaimingUniformAndBIsZero()
    {
        using DisposeScope scope = NewDisposeScope();
        using Projection layer = new(400, 5, bias: false);
        LoraAdapter adapter = Adapter(layer, 2, 0, out Parameter[] factors, rank: 8);
        adapter.Initialise(layer.Matrix, new(1));
        float[] a = factors[0].Floats().ToArray();
        // Uniform on ±1/sqrt(400): deviation 0.05/sqrt(3); 3,200 draws.
        Assert.All(a, value => Assert.InRange(value, -0.05f, 0.05f));
        Near.Equal([0.05f / MathF.Sqrt(3)], [(float)Math.Sqrt(a.Average(value => (double)value * value))], 0.002, "deviation");
        Assert.All(factors[1].Floats().ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Tensors_RankR_CountRTimesInPlusOut()
    {
        using Projection layer = Layer(training: false);
        TensorSpec[] tensors = LoraAdapter.Tensors(layer, 3);
        Assert.Equal(["lora_A.weight", "lora_B.weight"], tensors.Select(tensor => tensor.Name));
        Assert.Equal(3 * (Inputs + Outputs), tensors.Sum(tensor => tensor.Shape[0] * tensor.Shape[1]));
        Assert.All(tensors, tensor => Assert.Equal(FederationClass.Bilinear, tensor.Federation));
    }

    private static Tensor Input()
    {
        float[] values = new float[4 * Inputs];
        Weights.FillNormal(values, 1, new(3));
        return tensor(values, [4, Inputs]);
    }

    private static Projection Layer(bool training)
    {
        Projection layer = new(Inputs, Outputs, bias: true);
        Weights.FillNormal(layer.Weight.Floats(), 0.5, new(1));
        Weights.FillNormal(layer.Bias!.Floats(), 0.5, new(2));
        layer.train(training);
        return layer;
    }

    private static LoraAdapter Adapter(Projection layer, double scale, double dropout, out Parameter[] factors, int rank = 3)
    {
        factors = [.. LoraAdapter.Tensors(layer, rank).Select(tensor => Weights.Allocate(tensor.Shape))];
        return new(factors[0], factors[1], new(rank, scale, dropout));
    }

    private static LoraAdapter Trained(Projection layer, double dropout)
    {
        LoraAdapter adapter = Adapter(layer, 0.7, dropout, out Parameter[] factors);
        Weights.FillNormal(factors[0].Floats(), 0.5, new(4));
        Weights.FillNormal(factors[1].Floats(), 0.5, new(5));
        return adapter;
    }
}
