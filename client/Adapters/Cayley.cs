using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Rotations out of skew-symmetric matrices (Cayley 1846).</summary>
internal static class Cayley
{
    /// <summary>(I − Q)·(I + Q)⁻¹ of each matrix Q of a batch, (k, n, n); I + Q of a skew-symmetric Q can always be inverted.</summary>
    internal static Tensor Transform(Tensor skew)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor identity = eye(skew.shape[^1]);
        return linalg.solve(identity + skew, identity - skew, left: false).MoveToOuterDisposeScope();
    }

    /// <summary>PEFT's series in place of the transform: I + 2·Q + 2·Q² + … + Qⁿ, nearly the transform of −Q where Q is small.</summary>
    /// <param name="skew">(k, n, n).</param>
    /// <param name="terms">1 for I alone, 2 for I + 2·Q; from there on as PEFT 0.18 and later count them, who take 3 and 4 for the same.</param>
    internal static Tensor Series(Tensor skew, int terms)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor sum = eye(skew.shape[^1]).expand(skew.shape);
        if (terms > 1)
            sum = sum + (skew * 2);
        if (terms > 2)
        {
            Tensor power = skew.bmm(skew);
            sum = sum + (power * 2);
            for (int i = 3; i < terms - 1; i++)
            {
                power = power.bmm(skew);
                sum = sum + (power * 2);
            }

            sum = sum + power.bmm(skew);
        }

        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>The rotations of a training step: a share of them, drawn anew, is replaced by the identity.</summary>
    /// <param name="rotations">(k, n, n); a single one is never dropped.</param>
    /// <param name="share">In [0, 1); rounded down to whole rotations.</param>
    internal static Tensor Drop(Tensor rotations, double share)
    {
        long count = rotations.shape[0], dropped = (long)(share * count);
        if (count == 1 || dropped == 0)
            return rotations;

        using DisposeScope scope = NewDisposeScope();
        Tensor mask = randperm(count).lt(dropped).view(count, 1, 1);
        return where(mask, eye(rotations.shape[^1]), rotations).MoveToOuterDisposeScope();
    }
}
