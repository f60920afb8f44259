using System.Runtime.InteropServices;
using Federated.Shared.Randomness;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Sees a slice of a tensor's numbers that starts at row-major index <paramref name="first"/>.</summary>
internal delegate void SliceVisitor(long first, Span<float> values);

/// <summary>Float32 parameters on the CPU: allocation, direct access to their numbers, seeded initial values.</summary>
internal static class Weights
{
    /// <summary>An uninitialised parameter that outlives every dispose scope.</summary>
    internal static Parameter Allocate(params long[] shape)
    {
        Parameter parameter = new(empty(shape, dtype: ScalarType.Float32));
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>The numbers of a contiguous float32 CPU tensor in its own memory, valid while the tensor lives.</summary>
    internal static Span<float> Floats(this Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>Visits the numbers of a parameter in order, in slices of whole rows small enough for a span (which ends at 2 GiB).</summary>
    /// <param name="tensor">Contiguous, float32, on the CPU.</param>
    /// <param name="visit">Gets the row-major index of the slice's first number, and the slice in the tensor's own memory.</param>
    internal static void VisitSlices(this Tensor tensor, SliceVisitor visit)
    {
        const long LargestSlice = 1 << 28;
        long count = tensor.numel();
        if (count <= LargestSlice)
        {
            visit(0, tensor.Floats());
            return;
        }

        using IDisposable _ = no_grad();
        long height = tensor.shape[0], row = count / height, rows = Math.Max(1, LargestSlice / row);
        for (long start = 0; start < height; start += rows)
        {
            using Tensor slice = tensor.narrow(0, start, Math.Min(rows, height - start));
            visit(start * row, slice.Floats());
        }
    }

    /// <summary>Fills a matrix (n, width), or what is seen as one, uniformly on ±1/sqrt(width): Kaiming with a = sqrt(5), PyTorch's own choice for a linear layer.</summary>
    internal static void FillKaiming(Tensor matrix, SplitMix64 random) => FillUniform(matrix.Floats(), 1 / Math.Sqrt(matrix.numel() / (double)matrix.shape[0]), random);

    /// <summary>Fills with draws from N(0, <paramref name="deviation"/>²).</summary>
    internal static void FillNormal(Span<float> values, double deviation, SplitMix64 random)
    {
        foreach (ref float value in values)
            value = (float)(random.NextNormal() * deviation);
    }

    /// <summary>Fills with draws from the uniform distribution on ±<paramref name="bound"/>.</summary>
    internal static void FillUniform(Span<float> values, double bound, SplitMix64 random)
    {
        foreach (ref float value in values)
            value = (float)(((2 * random.NextOpenDouble()) - 1) * bound);
    }
}
