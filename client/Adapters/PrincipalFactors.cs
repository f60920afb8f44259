using System.Globalization;
using Federated.Client.Models;
using Federated.Shared.Randomness;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>The part s·B0·A0 of a weight that LoRA factors start from, as <c>init_lora_weights</c> names it.</summary>
/// <remarks>
/// <c>pissa</c> (Meng et al. 2024, arXiv:2404.02948): with W = U·S·Vᵀ cut to r, B0 = U·sqrt(S/s) and A0 = sqrt(S/s)·Vᵀ. <c>pissa_niter_N</c>: the
/// same of a randomised decomposition with N power iterations (Halko et al. 2011, arXiv:0909.4061, algorithms 4.4 and 5.1), whose random
/// directions are always the same here. <c>olora</c> (Büyükakyüz 2024, arXiv:2406.01775): with W = Q·R, B0 = Q[:, :r] and A0 = R[:r], whatever s is.
/// Signs of singular vectors and of Q's columns differ between libraries; the product does not.
/// </remarks>
internal static class PrincipalFactors
{
    private const string Pissa = "pissa", Olora = "olora", Randomised = "pissa_niter_";
    private const ulong Seed = 0x70155A;

    /// <summary>Whether a way to start takes a part of the weight.</summary>
    internal static bool Take(string start) => start is Pissa or Olora || start.StartsWith(Randomised, StringComparison.Ordinal);

    /// <summary>A0 (r, in) and B0 (out, r) of W (out, in), r at most the lower of its sizes; in the caller's dispose scope.</summary>
    internal static (Tensor A, Tensor B) Of(Tensor weight, LoraSettings settings)
    {
        int rank = settings.Rank;
        if (settings.Start == Olora)
        {
            (Tensor q, Tensor r) = linalg.qr(weight);
            return (r.narrow(0, 0, rank), q.narrow(1, 0, rank));
        }

        (Tensor u, Tensor s, Tensor vh) = settings.Start == Pissa
            ? linalg.svd(weight, fullMatrices: false)
            : LowRank(weight, rank, int.Parse(settings.Start.AsSpan(Randomised.Length), NumberStyles.None, CultureInfo.InvariantCulture));
        Tensor root = (s.narrow(0, 0, rank) / settings.Scale).sqrt();
        return (root.unsqueeze(1) * vh.narrow(0, 0, rank), u.narrow(1, 0, rank) * root);
    }

    private static (Tensor U, Tensor S, Tensor Vh) LowRank(Tensor weight, int rank, int iterations)
    {
        float[] directions = new float[weight.shape[1] * rank];
        Weights.FillNormal(directions, 1, new SplitMix64(Seed));
        Tensor basis = linalg.qr(weight.mm(tensor(directions, [weight.shape[1], rank]))).Q;
        for (int i = 0; i < iterations; i++)
            basis = linalg.qr(weight.mm(linalg.qr(weight.t().mm(basis)).Q)).Q;
        (Tensor u, Tensor s, Tensor vh) = linalg.svd(basis.t().mm(weight), fullMatrices: false);
        return (basis.mm(u), s, vh);
    }
}
