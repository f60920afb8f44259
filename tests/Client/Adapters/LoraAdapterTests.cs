using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Shared.Peft;
using TorchSharp;
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
        using LoraAdapter adapter = new(Inputs, Outputs, 3, 2, 0.5);
        adapter.Initialise(LoraConfig.DefaultInit, new(1));
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
        using LoraAdapter adapter = Trained(dropout: 0.5);
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
        using LoraAdapter adapter = Trained(dropout: 0.5);
        layer.Adapter = adapter;
        Tensor input = Input();
        float[] first = layer.call(input).Floats().ToArray(), second = layer.call(input).Floats().ToArray();
        Assert.Equal(!training, first.SequenceEqual(second));
    }

    [Fact]
    public void Initialise_A_IsKaimingUniformAndBIsZero()
    {
        using LoraAdapter adapter = new(400, 5, 8, 2, 0);
        adapter.Initialise(LoraConfig.DefaultInit, new(1));
        float[] a = adapter.Tensors[0].Value.Floats().ToArray();
        // Uniform on ±1/sqrt(400): deviation 0.05/sqrt(3); 3,200 draws.
        Assert.All(a, value => Assert.InRange(value, -0.05f, 0.05f));
        Near.Equal([0.05f / MathF.Sqrt(3)], [(float)Math.Sqrt(a.Average(value => (double)value * value))], 0.002, "deviation");
        Assert.All(adapter.Tensors[1].Value.Floats().ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Tensors_RankR_CountRTimesInPlusOut()
    {
        using LoraAdapter adapter = new(Inputs, Outputs, 3, 2, 0);
        Assert.Equal(["lora_A.weight", "lora_B.weight"], adapter.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(3 * (Inputs + Outputs), adapter.Tensors.Sum(tensor => tensor.Value.numel()));
        Assert.All(adapter.Tensors, tensor => Assert.Equal(FederationClass.Bilinear, tensor.Federation));
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

    private static LoraAdapter Trained(double dropout)
    {
        LoraAdapter adapter = new(Inputs, Outputs, 3, 0.7, dropout);
        Weights.FillNormal(adapter.Tensors[0].Value.Floats(), 0.5, new(4));
        Weights.FillNormal(adapter.Tensors[1].Value.Floats(), 0.5, new(5));
        return adapter;
    }
}
