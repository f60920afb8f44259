using Federated.Compat.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Models.Operators;

/// <summary>The operations of <see cref="ComposedKernels"/> as single operators of the native library: one pass over memory instead of several.</summary>
/// <remarks>
/// Only with the torch stand-in; under the official package this file is not compiled and the composed forms serve. The operators
/// take float32 on the CPU; all else goes the composed way.
/// </remarks>
internal static class FusedKernels
{
    private static readonly NativeOperator RmsNormOperator = new("federated::rms_norm");
    private static readonly NativeOperator RotaryOperator = new("federated::rotary");
    private static readonly NativeOperator SwiGluOperator = new("federated::swiglu");
    private static readonly NativeOperator GeluOperator = new("federated::gelu");
    private static readonly NativeOperator LoraLinearOperator = new("federated::lora_linear");
    private static readonly NativeOperator PackedAttentionOperator = new("federated::packed_attention");
    private static readonly NativeOperator LinearCrossEntropyOperator = new("federated::linear_cross_entropy");

    internal static Tensor RmsNorm(Tensor input, Tensor weight, double eps) =>
        Fits(input) ? RmsNormOperator.Call(input, weight, eps) : ComposedKernels.RmsNorm(input, weight, eps);

    internal static Tensor Rotary(Tensor heads, Tensor cos, Tensor sin) =>
        Fits(heads) ? RotaryOperator.Call(heads, cos, sin) : ComposedKernels.Rotary(heads, cos, sin);

    internal static Tensor SwiGlu(Tensor gate, Tensor up) =>
        Fits(gate) ? SwiGluOperator.Call(gate, up) : ComposedKernels.SwiGlu(gate, up);

    internal static Tensor Gelu(Tensor input) => Fits(input) ? GeluOperator.Call(input, 0.0, 0.0) : ComposedKernels.Gelu(input);

    // 0.5 (1 + tanh z) is the logistic function of 2 z.
    internal static Tensor GeluByTanh(Tensor input)
    {
        double first = 2 * Math.Sqrt(2 / Math.PI);
        return Fits(input) ? GeluOperator.Call(input, first, 0.044715 * first) : ComposedKernels.GeluByTanh(input);
    }

    internal static Tensor GeluBySigmoid(Tensor input) => Fits(input) ? GeluOperator.Call(input, 1.702, 0.0) : ComposedKernels.GeluBySigmoid(input);

    internal static Tensor LoraLinear(Tensor input, Tensor weight, Tensor? bias, Tensor a, Tensor b, double scale, double dropout) =>
        Fits(input) && dropout == 0
            ? LoraLinearOperator.Call(input, weight, bias, a, b, scale)
            : ComposedKernels.LoraLinear(input, weight, bias, a, b, scale, dropout);

    internal static Tensor PackedAttention(Tensor query, Tensor key, Tensor value, ReadOnlySpan<int> offsets, double scale, AttentionPattern pattern)
    {
        if (!Fits(query))
            return ComposedKernels.PackedAttention(query, key, value, offsets, scale, pattern);

        long[] rows = new long[offsets.Length];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = offsets[i];
        return PackedAttentionOperator.Call(query, key, value, rows, scale, pattern.Causal, pattern.Window ?? 0);
    }

    internal static Tensor LinearCrossEntropy(Tensor hidden, Tensor weight, Tensor? bias, Tensor targets) =>
        Fits(hidden) ? LinearCrossEntropyOperator.Call(hidden, weight, bias, targets) : ComposedKernels.LinearCrossEntropy(hidden, weight, bias, targets);

    private static bool Fits(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU;
}
