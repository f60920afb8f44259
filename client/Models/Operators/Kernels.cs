using static TorchSharp.torch;

namespace Federated.Client.Models.Operators;

/// <summary>The one door through which models and adapters reach their hot operations; shapes and formulas are on <see cref="ComposedKernels"/>.</summary>
internal static class Kernels
{
    internal static Tensor Linear(Tensor input, Tensor weight, Tensor? bias) => ComposedKernels.Linear(input, weight, bias);

    internal static Tensor Embedding(Tensor weight, Tensor ids, long? paddingId) => ComposedKernels.Embedding(weight, ids, paddingId);

    internal static Tensor RmsNorm(Tensor input, Tensor weight, double eps) => ComposedKernels.RmsNorm(input, weight, eps);

    internal static Tensor Rotary(Tensor heads, Tensor cos, Tensor sin) => ComposedKernels.Rotary(heads, cos, sin);

    internal static Tensor SwiGlu(Tensor gate, Tensor up) => ComposedKernels.SwiGlu(gate, up);

    internal static Tensor LoraLinear(Tensor input, Tensor weight, Tensor? bias, Tensor a, Tensor b, double scale, double dropout) =>
        ComposedKernels.LoraLinear(input, weight, bias, a, b, scale, dropout);

    internal static Tensor PackedCausalAttention(Tensor query, Tensor key, Tensor value, ReadOnlySpan<int> offsets, double scale) =>
        ComposedKernels.PackedCausalAttention(query, key, value, offsets, scale);

    internal static Tensor PaddedAttention(Tensor query, Tensor key, Tensor value, Tensor mask, double scale, ForwardTrace? trace) =>
        ComposedKernels.PaddedAttention(query, key, value, mask, scale, trace);

    internal static Tensor LinearCrossEntropy(Tensor hidden, Tensor weight, Tensor? bias, Tensor targets) =>
        ComposedKernels.LinearCrossEntropy(hidden, weight, bias, targets);
}
