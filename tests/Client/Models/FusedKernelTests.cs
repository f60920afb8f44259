using System.Runtime.InteropServices;
using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>Every fused operator in float32 gives the values and gradients of its composed form in float64, which finite differences confirm.</summary>
public sealed class FusedKernelTests
{
    internal static readonly Dictionary<string, FusedOperation> Operations = new()
    {
        ["rms-norm"] = new(
            [[33, 48], [48]], t => FusedKernels.RmsNorm(t[0], t[1], 1e-3), t => ComposedKernels.RmsNorm(t[0], t[1], 1e-3)),
        ["rms-norm of one row, odd width"] = new(
            [[1, 7], [7]], t => FusedKernels.RmsNorm(t[0], t[1], 1e-5), t => ComposedKernels.RmsNorm(t[0], t[1], 1e-5)),
        ["rms-norm over many tasks"] = new(
            [[700, 96], [96]], t => FusedKernels.RmsNorm(t[0], t[1], 1e-5), t => ComposedKernels.RmsNorm(t[0], t[1], 1e-5)),
        ["rotary"] = new(
            [[13, 4, 10]], t => FusedKernels.Rotary(t[0], Angles(t[0], Math.Cos), Angles(t[0], Math.Sin)), t => ComposedKernels.Rotary(t[0], Angles(t[0], Math.Cos), Angles(t[0], Math.Sin))),
        ["rotary over many tasks"] = new(
            [[900, 2, 64]], t => FusedKernels.Rotary(t[0], Angles(t[0], Math.Cos), Angles(t[0], Math.Sin)), t => ComposedKernels.Rotary(t[0], Angles(t[0], Math.Cos), Angles(t[0], Math.Sin))),
        ["rotary of a part of each head"] = new(
            [[13, 4, 11]], t => FusedKernels.Rotary(t[0], Angles(t[0], Math.Cos, 3), Angles(t[0], Math.Sin, 3)), t => ComposedKernels.Rotary(t[0], Angles(t[0], Math.Cos, 3), Angles(t[0], Math.Sin, 3))),
        ["swiglu"] = new([[9, 21], [9, 21]], t => FusedKernels.SwiGlu(t[0], t[1]), t => ComposedKernels.SwiGlu(t[0], t[1])),
        ["swiglu over many tasks"] = new([[300, 130], [300, 130]], t => FusedKernels.SwiGlu(t[0], t[1]), t => ComposedKernels.SwiGlu(t[0], t[1])),
        ["gelu"] = new([[300, 130]], t => FusedKernels.Gelu(t[0]), t => ComposedKernels.Gelu(t[0])),
        ["gelu by tanh"] = new([[300, 130]], t => FusedKernels.GeluByTanh(t[0]), t => ComposedKernels.GeluByTanh(t[0])),
        ["gelu by sigmoid"] = new([[7, 3]], t => FusedKernels.GeluBySigmoid(t[0]), t => ComposedKernels.GeluBySigmoid(t[0])),
        ["lora-linear with bias"] = new(
            [[19, 24], [17, 24], [3, 24], [17, 3], [17]],
            t => FusedKernels.LoraLinear(t[0], t[1], t[4], t[2], t[3], 1.7, 0), t => ComposedKernels.LoraLinear(t[0], t[1], t[4], t[2], t[3], 1.7, 0)),
        ["lora-linear without bias"] = new(
            [[19, 24], [17, 24], [3, 24], [17, 3]],
            t => FusedKernels.LoraLinear(t[0], t[1], null, t[2], t[3], 1.7, 0), t => ComposedKernels.LoraLinear(t[0], t[1], null, t[2], t[3], 1.7, 0)),
        ["lora-linear of a weight stored (in, out)"] = new(
            [[19, 24], [24, 17], [3, 24], [17, 3], [17]],
            t => FusedKernels.LoraLinear(t[0], t[1].t(), t[4], t[2], t[3], 1.7, 0), t => ComposedKernels.LoraLinear(t[0], t[1].t(), t[4], t[2], t[3], 1.7, 0)),
        ["packed attention, ragged, two query heads a key head"] = new(
            [[58, 4, 8], [58, 2, 8], [58, 2, 8]],
            t => FusedKernels.PackedAttention(t[0], t[1], t[2], [0, 1, 20, 20, 51, 58], 0.35, AttentionPattern.UpToSelf), t => ComposedKernels.PackedAttention(t[0], t[1], t[2], [0, 1, 20, 51, 58], 0.35, AttentionPattern.UpToSelf)),
        ["packed attention of all with all"] = new(
            [[58, 4, 8], [58, 2, 8], [58, 2, 8]],
            t => FusedKernels.PackedAttention(t[0], t[1], t[2], [0, 1, 20, 20, 51, 58], 0.35, AttentionPattern.Full), t => ComposedKernels.PackedAttention(t[0], t[1], t[2], [0, 1, 20, 51, 58], 0.35, AttentionPattern.Full)),
        ["packed attention over a window of 5"] = new(
            [[58, 4, 8], [58, 2, 8], [58, 2, 8]],
            t => FusedKernels.PackedAttention(t[0], t[1], t[2], [0, 1, 20, 20, 51, 58], 0.35, new(true, 5)), t => ComposedKernels.PackedAttention(t[0], t[1], t[2], [0, 1, 20, 51, 58], 0.35, new(true, 5))),
        ["linear cross-entropy with bias"] = new(
            [[15, 12], [29, 12], [29]],
            t => FusedKernels.LinearCrossEntropy(t[0], t[1], t[2], Targets(15, 29)), t => ComposedKernels.LinearCrossEntropy(t[0], t[1], t[2], Targets(15, 29))),
        ["linear cross-entropy over several slices"] = new(
            [[300, 12], [29, 12]],
            t => FusedKernels.LinearCrossEntropy(t[0], t[1], null, Targets(300, 29)), t => ComposedKernels.LinearCrossEntropy(t[0], t[1], null, Targets(300, 29))),
        ["linear cross-entropy of one class"] = new(
            [[3, 4], [1, 4]],
            t => FusedKernels.LinearCrossEntropy(t[0], t[1], null, zeros(3, dtype: ScalarType.Int64)), t => ComposedKernels.LinearCrossEntropy(t[0], t[1], null, zeros(3, dtype: ScalarType.Int64))),
    };

    public static TheoryData<string> Names => [.. Operations.Keys];

    public static TheoryData<int, int, int, int> AttentionShapes => new()
    {
        { 1, 2, 1, 8 }, { 63, 2, 2, 8 }, { 64, 4, 1, 8 }, { 65, 4, 2, 8 }, { 128, 2, 1, 32 }, { 129, 3, 3, 32 }, { 129, 6, 2, 64 }, { 200, 2, 1, 64 },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_EveryInputTrained_EqualsComposed(string name) => Operations[name].Check(name, _ => true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_OneInputTrained_GivesItsGradientAndNoOther(string name)
    {
        for (int trained = 0; trained < Operations[name].Inputs; trained++)
            Operations[name].Check($"{name}, input {trained} alone", input => input == trained);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_OneInputFrozen_GivesTheOthersTheirGradients(string name)
    {
        for (int frozen = 0; frozen < Operations[name].Inputs && Operations[name].Inputs > 1; frozen++)
            Operations[name].Check($"{name}, all but input {frozen}", input => input != frozen);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_StridedInputs_EqualsComposed(string name) => Operations[name].Check(name, _ => true, strided: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_BackwardTwice_AddsTheSameGradientAgain(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = Operations[name].Draw(_ => true);
        Tensor output = Operations[name].Fused(inputs), loss = (output + output).sum();
        loss.backward(retain_graph: true);
        float[][] once = [.. inputs.Select(input => input.grad!.contiguous().Floats().ToArray())];
        loss.backward();
        for (int i = 0; i < inputs.Length; i++)
            Near.Equal([.. once[i].Select(value => 2 * value)], inputs[i].grad!.contiguous().Floats(), 1e-5, $"{name}: input {i}", 1e-5);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_NoGradients_SameValueAndNothingToDifferentiate(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = Operations[name].Draw(_ => true);
        float[] expected = Operations[name].Fused(inputs).Floats().ToArray();
        using IDisposable _ = no_grad();
        Tensor output = Operations[name].Fused(inputs);
        Assert.False(output.requires_grad);
        Near.Equal(expected, output.Floats(), 1e-6, name, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_SecondDerivative_IsRefused(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = Operations[name].Draw(_ => true);
        ExternalException error = Assert.ThrowsAny<ExternalException>(() => autograd.grad([Operations[name].Fused(inputs).sum()], inputs, create_graph: true));
        Assert.Contains("second derivative", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AttentionShapes))]
    public void PackedAttention_LengthsBesideTheBlocksEdges_EqualsComposed(int length, int heads, int keyHeads, int width)
    {
        int[] offsets = [0, length, length + 1, (2 * length) + 1];
        long n = offsets[^1];
        double scale = 1 / Math.Sqrt(width);
        foreach (AttentionPattern pattern in new AttentionPattern[] { AttentionPattern.UpToSelf, AttentionPattern.Full, new(true, 1), new(true, 64), new(true, 70) })
        {
            new FusedOperation(
                [[n, heads, width], [n, keyHeads, width], [n, keyHeads, width]], t => FusedKernels.PackedAttention(t[0], t[1], t[2], offsets, scale, pattern),
                t => ComposedKernels.PackedAttention(t[0], t[1], t[2], offsets, scale, pattern)).Check($"length {length}, {pattern}", _ => true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void PackedAttention_RowsOfRandomLength_EqualsComposed(int seed)
    {
        Random random = new(seed);
        int[] offsets = new int[random.Next(2, 8)];
        for (int i = 1; i < offsets.Length; i++)
            offsets[i] = offsets[i - 1] + random.Next(1, 201);
        long n = offsets[^1];
        new FusedOperation(
            [[n, 4, 8], [n, 2, 8], [n, 2, 8]], t => FusedKernels.PackedAttention(t[0], t[1], t[2], offsets, 0.4, AttentionPattern.UpToSelf),
            t => ComposedKernels.PackedAttention(t[0], t[1], t[2], offsets, 0.4, AttentionPattern.UpToSelf)).Check($"seed {seed}", _ => true);
    }

    [Theory]
    [InlineData(100f)]
    [InlineData(-100f)]
    [InlineData(87.5f)]
    [InlineData(-87.5f)]
    [InlineData(1e30f)]
    [InlineData(-1e30f)]
    [InlineData(0f)]
    [InlineData(1e-30f)]
    public void SwiGlu_FarFromZero_StaysFiniteAndRight(float gate)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor at = full([5], gate).requires_grad_(), up = full([5], 2f);
        Tensor output = FusedKernels.SwiGlu(at, up);
        output.sum().backward();
        double sigmoid = 1 / (1 + Math.Exp(-gate)), slope = sigmoid * (1 + (gate * (1 - sigmoid)));
        Near.Equal([.. Enumerable.Repeat((float)(2 * gate * sigmoid), 5)], output.Floats(), 1e-6, "value", 1e-6);
        Near.Equal([.. Enumerable.Repeat((float)(2 * slope), 5)], at.grad!.Floats(), 1e-6, "gradient", 1e-6);
    }

    // Over all sizes of a number, where the inputs of the other tests stay within one of zero.
    [Theory]
    [InlineData("gelu")]
    [InlineData("gelu by tanh")]
    [InlineData("gelu by sigmoid")]
    public void Gelu_FarFromZero_StaysFiniteAndRight(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        float[] near = [.. Enumerable.Range(-1500, 3001).Select(i => i / 100f)], far = [1e-30f, 50, 200, 1e10f, 1e20f, 1e30f];
        float[] values = [.. near, .. far, .. far.Select(value => -value)];
        Tensor input = tensor(values, [values.Length]).requires_grad_(), exact = tensor(values, [values.Length]).to_type(ScalarType.Float64).requires_grad_();
        Tensor actual = Operations[name].Fused([input]), expected = Operations[name].Composed([exact]);
        actual.sum().backward();
        expected.sum().backward();
        Near.Equal(expected.to_type(ScalarType.Float32).Floats(), actual.Floats(), 1e-6, "value", 1e-6);
        Near.Equal(exact.grad!.to_type(ScalarType.Float32).Floats(), input.grad!.Floats(), 1e-6, "gradient", 1e-6);
    }

    // The trainer tells a diverged run by its loss: a kernel must not swallow what is not a number.
    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_NotANumber_ShowsInTheResult(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Tensor[] inputs = Operations[name].Draw(_ => false);
        inputs[0].Floats()[0] = float.NaN;
        Assert.Contains(Operations[name].Fused(inputs).Floats().ToArray(), float.IsNaN);
    }

    [Fact]
    public void LinearCrossEntropy_LogitsOfAThousand_DoNotOverflow()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor hidden = tensor(new float[] { 1000, -1000 }, [2, 1]), weight = tensor(new float[] { 1, 0, -1 }, [3, 1]);
        // Row 0 has logits 1000, 0, -1000 and row 1 the reverse; each picks the middle one, 1000 below the top.
        Assert.Equal(2000, FusedKernels.LinearCrossEntropy(hidden, weight, null, ones(2, dtype: ScalarType.Int64)).item<float>(), 1e-2);
    }

    public static TheoryData<string, Action> WrongCalls => new()
    {
        { "rms_norm: weight of [3]", () => FusedKernels.RmsNorm(ones(2, 4), ones(3), 1e-5) },
        { "rotary: a table of [2, 1, 2]", () => FusedKernels.Rotary(ones(2, 1, 3), ones(2, 1, 2), ones(2, 1, 2)) },
        { "rotary: a table of [3, 1, 2]", () => FusedKernels.Rotary(ones(2, 1, 4), ones(2, 1, 2), ones(3, 1, 2)) },
        { "swiglu: gate of [2, 3] and up of [2, 4]", () => FusedKernels.SwiGlu(ones(2, 3), ones(2, 4)) },
        { "swiglu: 'up' is Double", () => FusedKernels.SwiGlu(ones(2, 3), ones(2, 3, dtype: ScalarType.Float64)) },
        { "lora_linear: x [2, 3], W [5, 4]", () => FusedKernels.LoraLinear(ones(2, 3), ones(5, 4), null, ones(1, 4), ones(5, 1), 1, 0) },
        { "packed_attention: 3 query heads over 2 key", () => FusedKernels.PackedAttention(ones(2, 3, 4), ones(2, 2, 4), ones(2, 2, 4), [0, 2], 1, AttentionPattern.UpToSelf) },
        { "packed_attention: query [2, 2, 4]", () => FusedKernels.PackedAttention(ones(2, 2, 4), ones(3, 2, 4), ones(2, 2, 4), [0, 2], 1, AttentionPattern.UpToSelf) },
        { "packed_attention: offsets must rise from 0 to 2", () => FusedKernels.PackedAttention(ones(2, 2, 4), ones(2, 2, 4), ones(2, 2, 4), [0, 3], 1, AttentionPattern.UpToSelf) },
        { "packed_attention: offsets must rise from 0 to 2", () => FusedKernels.PackedAttention(ones(2, 2, 4), ones(2, 2, 4), ones(2, 2, 4), [0, 2, 1, 2], 1, AttentionPattern.UpToSelf) },
        { "packed_attention: a window of -1", () => FusedKernels.PackedAttention(ones(2, 2, 4), ones(2, 2, 4), ones(2, 2, 4), [0, 2], 1, new(true, -1)) },
        { "linear_cross_entropy: target 3 at 1 of 3 classes", () => FusedKernels.LinearCrossEntropy(ones(2, 4), ones(3, 4), null, tensor(new long[] { 0, 3 }, [2])) },
        { "linear_cross_entropy: target -1 at 0", () => FusedKernels.LinearCrossEntropy(ones(2, 4), ones(3, 4), null, tensor(new long[] { -1, 0 }, [2])) },
        { "linear_cross_entropy: bias [4] for 3 classes", () => FusedKernels.LinearCrossEntropy(ones(2, 4), ones(3, 4), ones(4), zeros(2, dtype: ScalarType.Int64)) },
        { "linear_cross_entropy: hidden [2, 4]", () => FusedKernels.LinearCrossEntropy(ones(2, 4), ones(3, 4), null, zeros(3, dtype: ScalarType.Int64)) },
    };

    [Theory]
    [MemberData(nameof(WrongCalls), DisableDiscoveryEnumeration = true)]
    public void Operator_WrongArguments_SaysWhatIsWrong(string message, Action call)
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Contains(message, Assert.ThrowsAny<ExternalException>(call).Message, StringComparison.Ordinal);
    }

    private static Tensor Angles(Tensor heads, Func<double, double> function, long? pairs = null)
    {
        long rows = heads.shape[0], half = pairs ?? heads.shape[2] / 2;
        double[] values = [.. Enumerable.Range(0, (int)(rows * half)).Select(i => function(0.01 * i * (1 + (i % half))))];
        return tensor(values, [rows, 1, half]).to_type(heads.dtype);
    }

    // Every fourth position has nothing to predict.
    private static Tensor Targets(int count, int classes) => tensor(Enumerable.Range(0, count).Select(i => i % 4 == 1 ? -100L : i * 7 % classes).ToArray(), [count]);
}
