using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Adapters;

/// <summary>DoRA, (IA)³ and LoRA on tables: the forward pass is that of the merged weight, however the layer stores its own.</summary>
public sealed class WeightFunctionTests
{
    private const int Channels = 2, Height = 3, Width = 2, Inputs = Channels * Height * Width, Outputs = 5;

    public static TheoryData<WeightLayout> Layouts => [.. Enum.GetValues<WeightLayout>()];

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Dora_Fresh_EqualsTheBase(WeightLayout layout)
    {
        using DisposeScope scope = NewDisposeScope();
        using Projection layer = Layer(layout);
        Tensor input = Drawn(6, 7, Inputs);
        float[] plain = layer.call(input).Floats().ToArray();
        DoraAdapter adapter = Dora(layer, 0, out _);
        using (no_grad())
            adapter.Initialise(layer.Matrix, new(1));
        layer.Adapter = adapter;
        Near.Equal(plain, layer.call(input).Floats(), 1e-5, "output");
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Dora_Trained_HasRowsOfItsMagnitudesAndForwardIsTheMergedLayer(WeightLayout layout)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using Projection layer = Layer(layout);
        DoraAdapter adapter = Dora(layer, 0.5, out Parameter[] own);
        layer.Adapter = adapter;
        (Tensor weight, Tensor? bias) = adapter.Merge(layer.Matrix, layer.Bias);
        Near.Equal([.. own[2].Floats().ToArray().Select(Math.Abs)], weight.norm(dim: 1).Floats(), 1e-4, "norms of rows");
        layer.eval();
        CheckMerged(layer, weight, bias);
    }

    [Fact]
    public void Dora_DropoutInTraining_KeepsTheMean()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using Projection layer = Layer(WeightLayout.Linear);
        DoraAdapter adapter = Dora(layer, 0.5, out Parameter[] own);
        layer.Adapter = adapter;
        Tensor input = Drawn(6, 1, Inputs), many = input.expand(20_000, Inputs).contiguous();
        layer.eval();
        float[] expected = layer.call(input).Floats().ToArray();
        layer.train();
        manual_seed(3);
        Tensor drawn = layer.call(many);
        // The mean of 20,000 draws lies within six of its own deviations.
        float[] mean = drawn.mean([0]).Floats().ToArray(), deviation = drawn.std(0).Floats().ToArray();
        Assert.All(Enumerable.Range(0, Outputs), i => Assert.InRange(mean[i], expected[i] - (6 * deviation[i] / 141), expected[i] + (6 * deviation[i] / 141)));
        Assert.All(deviation, value => Assert.True(value > 0.01));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Ia3_InputOrOutput_ForwardIsTheMergedLayer(WeightLayout layout)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        foreach (bool feedforward in new[] { true, false })
        {
            using Projection layer = Layer(layout);
            long[] shape = feedforward ? [1, layout == WeightLayout.Patches ? Channels : Inputs] : layout == WeightLayout.Patches ? [1, Outputs] : [Outputs, 1];
            using Parameter scale = Weights.Allocate(layout == WeightLayout.Patches ? [.. shape, 1, 1] : shape);
            Weights.FillNormal(scale.Floats(), 1, new(8));
            Ia3Adapter adapter = new(scale, feedforward, fromOne: true);
            layer.Adapter = adapter;
            (Tensor weight, Tensor? bias) = adapter.Merge(layer.Matrix, layer.Bias);
            CheckMerged(layer, weight, bias);
            adapter.Initialise(layer.Matrix, new(1));
            Assert.All(scale.Floats().ToArray(), value => Assert.Equal(1, value));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LoraEmbedding_Trained_ForwardIsTheMergedTable(bool magnitudes)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using TokenEmbedding table = new(9, 4, paddingId: 0);
        Weights.FillNormal(table.Weight.Floats(), 1, new(1));
        Parameter[] own = [.. LoraEmbedding.Tensors(table, 2, magnitudes).Select(tensor => Weights.Allocate(tensor.Shape))];
        LoraEmbedding adapter = new(own[0], own[1], own.ElementAtOrDefault(2), new(2, 0.7));
        Tensor ids = tensor(new long[] { 8, 0, 3, 3 }, [4]);
        float[] plain = table.call(ids).Floats().ToArray();
        table.Adapter = adapter;
        adapter.Initialise(table.Weight, new(2));
        Near.Equal(plain, table.call(ids).Floats(), 1e-5, "fresh");

        for (int i = 0; i < own.Length; i++)
            Weights.FillNormal(own[i].Floats(), 1, new((ulong)i + 3));
        Tensor merged = adapter.Merge(table.Weight, null).Weight;
        Near.Equal(merged.index_select(0, ids).Floats(), table.call(ids).Floats(), 1e-5, "trained");
        if (magnitudes)
            Near.Equal([.. own[2].Floats().ToArray().Select(Math.Abs)], merged.norm(dim: 0).Floats(), 1e-5, "norms of columns");
    }

    private static void CheckMerged(Projection layer, Tensor weight, Tensor? bias)
    {
        Tensor input = Drawn(6, 7, Inputs);
        float[] adapted = layer.call(input).Floats().ToArray();
        layer.Adapter = null;
        layer.Matrix.copy_(weight);
        layer.Bias!.copy_(bias!);
        Near.Equal(adapted, layer.call(input).Floats(), 1e-4, "output", 1e-4);
    }

    private static DoraAdapter Dora(Projection layer, double dropout, out Parameter[] own)
    {
        own = [.. DoraAdapter.Tensors(layer, 3).Select(tensor => Weights.Allocate(tensor.Shape))];
        for (int i = 0; i < own.Length; i++)
            Weights.FillNormal(own[i].Floats(), 1, new((ulong)i + 3));
        return new(own[0], own[1], own[2], new(3, 0.7, dropout));
    }

    private static Projection Layer(WeightLayout layout)
    {
        Projection layer = layout switch
        {
            WeightLayout.Transposed => Projection.Transposed(Inputs, Outputs, bias: true),
            WeightLayout.Patches => Projection.Patches(Channels, Height, Width, Outputs, bias: true),
            _ => new(Inputs, Outputs, bias: true),
        };
        Weights.FillNormal(layer.Weight.Floats(), 1, new(1));
        Weights.FillNormal(layer.Bias!.Floats(), 1, new(2));
        return layer;
    }

    private static Tensor Drawn(ulong seed, params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        Weights.FillNormal(values, 1, new(seed));
        return tensor(values, shape);
    }
}
