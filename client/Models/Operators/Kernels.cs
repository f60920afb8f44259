using static TorchSharp.torch;
#if OFFICIAL_PACKAGES
using Fast = Federated.Client.Models.Operators.ComposedKernels;
#else
using Fast = Federated.Client.Models.Operators.FusedKernels;
#endif

namespace Federated.Client.Models.Operators;

/// <summary>The one door through which models and adapters reach their hot operations; shapes and formulas are on <see cref="ComposedKernels"/>.</summary>
/// <remarks>With the torch stand-in the hottest are single native operators; under the official package all are the composed forms.</remarks>
internal static class Kernels
{
    internal static Tensor Linear(Tensor input, Tensor weight, Tensor? bias) => ComposedKernels.Linear(input, weight, bias);

    internal static Tensor Embedding(Tensor weight, Tensor ids, long? paddingId) => ComposedKernels.Embedding(weight, ids, paddingId);

    internal static Tensor RmsNorm(Tensor input, Tensor weight, double eps) => Fast.RmsNorm(input, weight, eps);

    internal static Tensor Dropout(Tensor input, double share) => ComposedKernels.Dropout(input, share);

    internal static Tensor LayerNorm(Tensor input, Tensor weight, Tensor bias, double eps) => ComposedKernels.LayerNorm(input, weight, bias, eps);

    internal static Tensor Gelu(Tensor input) => Fast.Gelu(input);

    internal static Tensor GeluByTanh(Tensor input) => Fast.GeluByTanh(input);

    internal static Tensor GeluBySigmoid(Tensor input) => Fast.GeluBySigmoid(input);

    internal static Tensor Rotary(Tensor heads, Tensor cos, Tensor sin) => Fast.Rotary(heads, cos, sin);

    internal static Tensor SwiGlu(Tensor gate, Tensor up) => Fast.SwiGlu(gate, up);

    internal static Tensor LoraLinear(Tensor input, Tensor weight, Tensor? bias, Tensor a, Tensor b, double scale, double dropout) =>
        Fast.LoraLinear(input, weight, bias, a, b, scale, dropout);

    internal static Tensor PackedAttention(
        Tensor query, Tensor key, Tensor value, ReadOnlySpan<int> offsets, double scale, AttentionPattern pattern, double dropout) =>
        dropout > 0
            ? ComposedKernels.PackedAttention(query, key, value, offsets, scale, pattern, dropout)
            : Fast.PackedAttention(query, key, value, offsets, scale, pattern);

    internal static Tensor PaddedAttention(Tensor query, Tensor key, Tensor value, long rows, Tensor? mask, double scale, double dropout, ForwardTrace? trace) =>
        ComposedKernels.PaddedAttention(query, key, value, rows, mask, scale, dropout, trace);

    internal static Tensor CachedAttention(Tensor query, Tensor keys, Tensor values, Tensor? mask, double scale) =>
        ComposedKernels.CachedAttention(query, keys, values, mask, scale);

    internal static Tensor LinearCrossEntropy(Tensor hidden, Tensor weight, Tensor? bias, Tensor targets) =>
        Fast.LinearCrossEntropy(hidden, weight, bias, targets);
}
