using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

/// <summary>Compares autograd with central differences, (f(x + h) − f(x − h)) / 2h, element by element.</summary>
internal static class FiniteDifferences
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-6;

    /// <summary>Fails unless the gradients of sum(f · cos(0, 1, 2, …)) agree for every element of every float64 input.</summary>
    public static void Check(Func<Tensor[], Tensor> function, params Tensor[] inputs)
    {
        foreach (Tensor input in inputs) input.requires_grad = true;
        Weighted(function, inputs).backward();
        using IDisposable silent = no_grad();
        for (int i = 0; i < inputs.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            double[] analytic = inputs[i].grad is Tensor gradient ? gradient.data<double>().ToArray() : new double[inputs[i].numel()];
            Tensor flat = inputs[i].detach().view(-1);
            for (int k = 0; k < analytic.Length; k++)
            {
                double value = flat[k].item<double>();
                double above = At(value + Step), below = At(value - Step);
                At(value);
                Assert.True(
                    Math.Abs(((above - below) / (2 * Step)) - analytic[k]) < Tolerance * Math.Max(1, Math.Abs(analytic[k])),
                    $"input {i}, element {k}: differences give {(above - below) / (2 * Step)}, autograd {analytic[k]}");

                double At(double changed)
                {
                    flat[k] = changed;
                    using Tensor result = Weighted(function, inputs);
                    return result.item<double>();
                }
            }
        }
    }

    private static Tensor Weighted(Func<Tensor[], Tensor> function, Tensor[] inputs)
    {
        Tensor result = function(inputs);
        return (result.reshape(-1) * arange(result.numel(), dtype: float64).cos()).sum();
    }
}
