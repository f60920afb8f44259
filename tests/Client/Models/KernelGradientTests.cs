using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>Every operation behind the models' kernels has the gradient that central differences in float64 give.</summary>
public sealed class KernelGradientTests
{
    private const double Step = 1e-5;

    public static TheoryData<string> Operations => [.. Known.Keys];

    private static readonly Dictionary<string, (long[][] Inputs, Func<Tensor[], Tensor> Apply)> Known = new()
    {
        ["linear"] = ([[5, 4], [3, 4], [3]], t => ComposedKernels.Linear(t[0], t[1], t[2])),
        ["embedding"] = ([[6, 3]], t => ComposedKernels.Embedding(t[0], tensor(new long[] { 1, 4, 1, 5, 2 }, [5]), null)),
        ["rms-norm"] = ([[5, 6], [6]], t => ComposedKernels.RmsNorm(t[0], t[1], 1e-3)),
        ["layer-norm"] = ([[5, 6], [6], [6]], t => ComposedKernels.LayerNorm(t[0], t[1], t[2], 1e-3)),
        ["gelu"] = ([[4, 5]], t => ComposedKernels.Gelu(t[0])),
        ["gelu by tanh"] = ([[4, 5]], t => ComposedKernels.GeluByTanh(t[0])),
        ["gelu by sigmoid"] = ([[4, 5]], t => ComposedKernels.GeluBySigmoid(t[0])),
        ["rotary"] = ([[3, 2, 4]], t => ComposedKernels.Rotary(t[0], Angles(Math.Cos), Angles(Math.Sin))),
        ["swiglu"] = ([[4, 5], [4, 5]], t => ComposedKernels.SwiGlu(t[0], t[1])),
        ["lora-linear"] = ([[5, 4], [3, 4], [3], [2, 4], [3, 2]], t => ComposedKernels.LoraLinear(t[0], t[1], t[2], t[3], t[4], 1.7, 0)),
        ["packed-attention"] = ([[7, 4, 2], [7, 2, 2], [7, 2, 2]], t => ComposedKernels.PackedAttention(t[0], t[1], t[2], [0, 2, 4, 7], 0.7, AttentionPattern.UpToSelf)),
        ["padded-attention"] = ([[6, 4, 2], [6, 2, 2], [6, 2, 2]], t => ComposedKernels.PaddedAttention(t[0], t[1], t[2], 2, PaddedMask(), 0.7, 0, null)),
        ["linear-cross-entropy"] = ([[5, 4], [7, 4]], t => ComposedKernels.LinearCrossEntropy(t[0], t[1], null, tensor(new long[] { 0, 6, 3, 3, 1 }, [5]))),
    };

    [Theory]
    [MemberData(nameof(Operations))]
    public void Backward_EveryInput_EqualsCentralDifferences(string name)
    {
        (long[][] shapes, Func<Tensor[], Tensor> apply) = Known[name];
        using DisposeScope scope = NewDisposeScope();
        Random random = new(17);
        double[][] values = [.. shapes.Select(shape => Draw(shape.Aggregate(1L, (a, b) => a * b), random))];
        Tensor[] inputs = Make(shapes, values, gradients: true);
        Tensor output = apply(inputs);
        double[] weights = Draw(output.numel(), random);
        Project(output, weights).backward();

        for (int input = 0; input < inputs.Length; input++)
        {
            double[] actual = inputs[input].grad!.contiguous().data<double>().ToArray();
            for (int i = 0; i < actual.Length; i++)
            {
                double difference = (Evaluate(shapes, values, input, i, Step, apply, weights) - Evaluate(shapes, values, input, i, -Step, apply, weights)) / (2 * Step);
                Assert.True(Math.Abs(difference - actual[i]) <= 1e-6 + (1e-5 * Math.Abs(difference)), $"{name}: input {input}, element {i}: gradient {actual[i]}, differences give {difference}");
            }
        }
    }

    [Fact]
    public void Embedding_PaddingId_GetsNoGradient()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor table = ones(3, 2).requires_grad_();
        ComposedKernels.Embedding(table, tensor(new long[] { 0, 1, 1, 2 }, [4]), 1).sum().backward();
        Assert.Equal([1, 1, 0, 0, 1, 1], table.grad!.Floats().ToArray());
    }

    [Fact]
    public void LoraLinear_Dropout_KeepsTheMeanAndIsSeeded()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Tensor input = ones(1, 4000), none = zeros(1, 4000), a = ones(1, 4000), b = ones(1, 1);
        float Draw()
        {
            manual_seed(5);
            return ComposedKernels.LoraLinear(input, none, null, a, b, 1.0 / 4000, 0.25).item<float>();
        }

        float first = Draw();
        Assert.Equal(first, Draw());
        // The mean of 4000 draws of 0 or 4/3: its deviation is 0.0091, so 0.06 is more than six of them.
        Assert.NotEqual(1f, first);
        Near.Equal([1f], [first], 0.06, "mean");
    }

    [Fact]
    public void PackedAttention_Dropout_KeepsTheMean()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        manual_seed(5);
        Tensor none = zeros(200, 40, 2), value = ones(200, 40, 2);
        float[] mixed = ComposedKernels.PackedAttention(none, none, value, [0, 200], 1, AttentionPattern.Full, dropout: 0.25).Floats().ToArray();
        // Each output is a sum of 200 draws of 0 or 1/150: its variance is 1/600. The mean of 8000 of them (both numbers of a head are one) deviates by 0.0005.
        Assert.NotEqual(mixed[0], mixed[2]);
        Near.Equal([1f], [mixed.Average()], 0.003, "mean");
        Near.Equal([(float)Math.Sqrt(1 / 600.0)], [(float)Math.Sqrt(mixed.Average(output => (output - 1.0) * (output - 1)))], 0.003, "deviation");
    }

    private static double Evaluate(long[][] shapes, double[][] values, int input, int element, double step, Func<Tensor[], Tensor> apply, double[] weights)
    {
        using DisposeScope scope = NewDisposeScope();
        double before = values[input][element];
        values[input][element] += step;
        double result = Project(apply(Make(shapes, values, gradients: false)), weights).item<double>();
        values[input][element] = before;
        return result;
    }

    private static Tensor Project(Tensor output, double[] weights) => (output.reshape(-1) * tensor(weights, [weights.Length])).sum();

    private static Tensor[] Make(long[][] shapes, double[][] values, bool gradients) =>
        [.. shapes.Select((shape, i) => tensor((double[])values[i].Clone(), shape).requires_grad_(gradients))];

    private static double[] Draw(long count, Random random) => [.. Enumerable.Range(0, (int)count).Select(_ => (2 * random.NextDouble()) - 1)];

    private static Tensor Angles(Func<double, double> function) => tensor(Enumerable.Range(0, 6).Select(i => function(0.3 * i * i)).ToArray(), [3, 1, 2]);

    // Two rows of three; the second row's middle position sees itself only. (A query that sees no key has no defined output to differentiate.)
    private static Tensor PaddedMask()
    {
        double no = float.MinValue;
        return tensor(new double[] { 0, no, no, 0, 0, no, 0, 0, 0, 0, no, no, no, 0, no, no, 0, 0 }, [2, 1, 1, 3, 3]);
    }
}
