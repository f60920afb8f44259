using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Compat.Torch.Tests;

/// <summary>The cases of make_golden.py, written in C#: name to what is computed from the inputs.</summary>
internal static class OperatorCases
{
    /// <summary>Inputs by name.</summary>
    internal sealed class Inputs(Dictionary<string, Tensor> tensors)
    {
        public Tensor this[string name] => tensors[name];

        public Tensor X => tensors["x"];
        public Tensor Y => tensors["y"];
        public Tensor Z => tensors["z"];
        public Tensor A => tensors["a"];
        public Tensor B => tensors["b"];
        public Tensor P => tensors["p"];
        public Tensor Q => tensors["q"];
        public Tensor N => tensors["n"];
        public Tensor K => tensors["k"];
        public Tensor D => tensors["d"];
        public Tensor Index => tensors["index"];
        public Tensor Ids => tensors["ids"];
        public Tensor Mask => tensors["mask"];
        public Tensor Bias => tensors["bias"];
        public Tensor Logits => tensors["l"];
        public Tensor Classes => tensors["c"];
    }

    public static readonly Dictionary<string, Func<Inputs, Tensor[]>> All = new(StringComparer.Ordinal)
    {
        ["add"] = i => [i.X + i.Y],
        ["add_alpha"] = i => [i.X.add(i.Y, alpha: 0.5)],
        ["sub_scalar_left"] = i => [2.5 - i.X],
        ["div_scalar_left"] = i => [3 / i.Z],
        ["mul_broadcast"] = i => [i.X * i.Y[0]],
        ["div_floor"] = i => [i.X.div(i.Z, RoundingMode.floor)],
        ["remainder"] = i => [i.X % i.Z],
        ["pow"] = i => [i.Z.pow(2.5)],
        ["addcmul"] = i => [i.X.addcmul(i.Y, i.Z, 0.3)],
        ["addcdiv"] = i => [i.X.addcdiv(i.Y, i.Z, 0.3)],
        ["lerp"] = i => [i.X.lerp(i.Y, i.Z)],
        ["matmul"] = i => [matmul(i.A, i.B)],
        ["bmm"] = i => [i.P.bmm(i.Q)],
        ["matmul_broadcast"] = i => [i.P.matmul(i.B)],
        ["addmm"] = i => [i.Bias.addmm(i.A, i.B, beta: 0.5f, alpha: 2)],
        ["einsum"] = i => [einsum("bij,bjk->bik", i.P, i.Q)],
        ["linear"] = i => [functional.linear(i.P, i.B.t(), i.Bias)],

        ["exp"] = i => [i.X.exp()],
        ["abs"] = i => [i.X.abs()],
        ["neg"] = i => [-i.X],
        ["sin"] = i => [i.X.sin()],
        ["cos"] = i => [i.X.cos()],
        ["tanh"] = i => [i.X.tanh()],
        ["sigmoid"] = i => [i.X.sigmoid()],
        ["erf"] = i => [i.X.erf()],
        ["relu"] = i => [functional.relu(i.X)],
        ["square"] = i => [i.X.square()],
        ["floor"] = i => [i.X.floor()],
        ["ceil"] = i => [i.X.ceil()],
        ["sign"] = i => [i.X.sign()],
        ["expm1"] = i => [i.X.expm1()],
        ["log"] = i => [i.Z.log()],
        ["log2"] = i => [i.Z.log2()],
        ["log1p"] = i => [i.Z.log1p()],
        ["sqrt"] = i => [i.Z.sqrt()],
        ["rsqrt"] = i => [i.Z.rsqrt()],
        ["reciprocal"] = i => [i.Z.reciprocal()],
        ["silu"] = i => [functional.silu(i.X)],
        ["gelu"] = i => [functional.gelu(i.X)],
        ["gelu_tanh"] = i => [functional.gelu(i.X, TorchSharp.Modules.GELU.Approximate.tanh)],
        ["softplus"] = i => [functional.softplus(i.X)],
        ["leaky_relu"] = i => [functional.leaky_relu(i.X, 0.1)],
        ["clamp"] = i => [i.X.clamp(-0.5, 0.7)],
        ["round_decimals"] = i => [i.X.round(1)],
        ["softmax"] = i => [functional.softmax(i.X, -1)],
        ["log_softmax"] = i => [functional.log_softmax(i.X, 0)],
        ["layer_norm"] = i => [functional.layer_norm(i.X, [4], i.Y[0], i.Y[1])],
        ["normalize"] = i => [functional.normalize(i.X)],
        ["cosine_similarity"] = i => [functional.cosine_similarity(i.X, i.Y)],

        ["sum"] = i => [i.X.sum()],
        ["sum_dims"] = i => [i.P.sum([0, 2])],
        ["mean_keepdim"] = i => [i.P.mean([1], keepdim: true)],
        ["var"] = i => [i.X.var(1)],
        ["std_biased"] = i => [i.X.std(0, unbiased: false, keepdim: true)],
        ["norm"] = i => [i.X.norm()],
        ["norm_p3_dim"] = i => [i.X.norm(1, p: 3)],
        ["logsumexp"] = i => [i.X.logsumexp(1)],
        ["max_dim"] = i => Pair(i.X.max(1)),
        ["min"] = i => [i.X.min()],
        ["topk"] = i => Pair(i.X.topk(2, dim: 1)),
        ["sort"] = i => Pair(i.X.sort(1, descending: true)),
        ["argmax"] = i => [i.X.argmax(1)],
        ["cumsum"] = i => [i.X.cumsum(1)],
        ["prod"] = i => [i.Z.prod(1)],
        ["median"] = i => [i.X.median()],
        ["count_nonzero"] = i => [i.Mask.count_nonzero([1])],
        ["any_all"] = i => [i.Mask.any(1), i.Mask.all(0)],

        ["transpose"] = i => [i.P.transpose(1, 2) * 1],
        ["permute"] = i => [i.P.permute(2, 0, 1) * 1],
        ["cat"] = i => [cat([i.X, i.Y], 1)],
        ["stack"] = i => [stack([i.X, i.Y], 1)],
        ["chunk"] = i => i.B.chunk(2, 1),
        ["split_sizes"] = i => i.B.split([1, 4], 1),
        ["repeat"] = i => [i.X.repeat(2, 1)],
        ["repeat_interleave"] = i => [i.X.repeat_interleave(2, 0)],
        ["expand"] = i => [i.Bias.unsqueeze(0).expand(3, -1) * 1],
        ["tril"] = i => [i.X.tril(1)],
        ["triu"] = i => [i.X.triu(-1)],
        ["roll_flip"] = i => [i.X.roll(1, 1).flip(0)],

        ["index_select"] = i => [i.X.index_select(1, i.Index)],
        ["gather"] = i => [i.X.gather(1, i.Ids)],
        ["scatter_add"] = i => [i.X.scatter_add(1, i.Ids, i.Y)],
        ["masked_fill"] = i => [i.X.masked_fill(i.Mask, -1.5)],
        ["where"] = i => [where(i.Mask, i.X, i.Y)],
        ["masked_select"] = i => [i.X.masked_select(i.Mask)],
        ["index_number"] = i => [i.P[1, 2]],
        ["index_slice"] = i => [i.P[TensorIndex.Colon, 1..3, TensorIndex.Slice(step: 2)]],
        ["index_ellipsis"] = i => [i.P[TensorIndex.Ellipsis, ^1]],
        ["index_none"] = i => [i.X[TensorIndex.Colon, TensorIndex.None, 1..]],
        ["index_tensor"] = i => [i.P[TensorIndex.Colon, TensorIndex.Colon, TensorIndex.Tensor(i.Index)]],
        ["index_mask"] = i => [i.X[i.Mask]],
        ["index_two_tensors"] = i => [i.X[i.Index[..3], i.Index[1..]]],
#if !OFFICIAL_PACKAGES
        ["embedding"] = i => [NativeOps.Call("aten::embedding", i.B, i.Ids, 1)],
#endif
        ["one_hot"] = i => [functional.one_hot(i.Ids, 5)],

        ["cross_entropy"] = i => [functional.cross_entropy(i.Logits, i.Classes)],
        ["cross_entropy_sum"] = i => [functional.cross_entropy(i.Logits, i.Classes, reduction: Reduction.Sum)],
        ["cross_entropy_none"] = i => [functional.cross_entropy(i.Logits, i.Classes, reduction: Reduction.None)],
        ["cross_entropy_weighted"] = i => [functional.cross_entropy(i.Logits, i.Classes, i["w"].detach(), label_smoothing: 0.1)],
        ["mse_loss"] = i => [functional.mse_loss(i.X, i.Y)],
        ["l1_loss"] = i => [functional.l1_loss(i.X, i.Y, Reduction.Sum)],
        ["kl_div"] = i => [functional.kl_div(i.X.log_softmax(1), i.Y.log_softmax(1), log_target: true, Reduction.Sum)],
        ["bce_logits"] = i => [functional.binary_cross_entropy_with_logits(i.X, (i.Z - 0.5).detach())],

        ["bincount"] = i => [bincount(i.N, minlength: 9)],
        ["integer_arithmetic"] = i => [((i.K * 3) - 5).floor_divide((Scalar)2)],
        ["integer_division"] = i => [i.K / 4],
        ["comparison"] = i => [((i.K >= 5) & (i.K != 7)) | (i.K < 2)],
        ["arange_step"] = _ => [arange(1, 10, 3)],
        ["linspace"] = _ => [linspace(-1, 1, 5)],
        ["eye"] = _ => [eye(2, 3)],
        ["to_float64"] = i => [i.X.to(float64)],
        ["to_float16"] = i => [i.X.to(float16)],
        ["to_bfloat16"] = i => [i.X.to(bfloat16)],
        ["to_int64"] = i => [i.X.to(int64)],
        ["to_int32"] = i => [i.X.to(int32)],
        ["to_uint8"] = i => [i.X.to(uint8)],
        ["to_bool"] = i => [i.X.to(ScalarType.Bool)],
        ["bfloat16_matmul"] = i => [i.A.detach().bfloat16().matmul(i.B.detach().bfloat16())],
        ["attention_causal"] = i => [functional.scaled_dot_product_attention(i.D, i.D, i.D, is_casual: true)],

        ["linalg_svd"] = i => [linalg.svd(i.X, fullMatrices: false).S],
        ["linalg_svd_product"] = i => [Truncated(linalg.svd(i.X, fullMatrices: false))],
        ["linalg_qr"] = i => Truncated(linalg.qr(i.X)),
        ["linalg_solve"] = i => [linalg.solve(i.P, i.Q)],
        ["linalg_solve_right"] = i => [linalg.solve(i.P, i.Q, left: false)],
        ["fft_irfft2"] = i => [fft.irfft2(i.X, [3, 7])],
    };

    private static Tensor[] Pair((Tensor First, Tensor Second) pair) => [pair.First, pair.Second];

    private static Tensor Truncated((Tensor U, Tensor S, Tensor Vh) svd) =>
        svd.U.narrow(1, 0, 2).matmul(svd.S.narrow(0, 0, 2).diag()).matmul(svd.Vh.narrow(0, 0, 2));

    private static Tensor[] Truncated((Tensor Q, Tensor R) qr) => [qr.Q.narrow(1, 0, 2).matmul(qr.R.narrow(0, 0, 2)), qr.R.abs()];
}
