using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Adapters;

/// <summary>Rotations and factors against the formulas written out with dense matrices, and PyTorch's own permutation.</summary>
public sealed class RotationTests
{
    [Fact]
    public void Hra_Merge_EqualsTheChainOfReflections()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Parameter vectors = Values(1, 6, 3);
        Tensor weight = Values(2, 5, 6), expected = weight;
        for (int i = 0; i < 3; i++)
        {
            Tensor unit = vectors.narrow(1, i, 1) / vectors.narrow(1, i, 1).norm();
            expected = expected - (expected.mm(unit).mm(unit.t()) * 2);
        }

        HraAdapter sut = new(vectors, new());
        Near.Equal(expected.Floats(), sut.Merge(weight, null).Weight.Floats(), 1e-5, "weight");
    }

    [Fact]
    public void Hra_Orthogonalised_EqualsGramSchmidtColumnByColumn()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Parameter vectors = Values(1, 6, 3);
        Tensor weight = Values(2, 5, 6), expected = weight;
        List<Tensor> basis = [];
        for (int i = 0; i < 3; i++)
        {
            Tensor unit = vectors.narrow(1, i, 1);
            foreach (Tensor before in basis)
                unit = unit - before.mm(before.t().mm(unit));
            basis.Add(unit / unit.norm());
            expected = expected - (expected.mm(basis[i]).mm(basis[i].t()) * 2);
        }

        HraAdapter sut = new(vectors, new() { Orthogonalise = true });
        Near.Equal(expected.Floats(), sut.Merge(weight, null).Weight.Floats(), 1e-5, "weight");
    }

    [Fact]
    public void Boft_TwoFactors_EqualTheProductOfDenseMatrices()
    {
        const int Width = 16, Size = 4, Blocks = 4;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Parameter halves = Values(1, 2, Blocks, Size, Size), scale = Values(2, 5, 1);
        Tensor weight = Values(3, 5, Width), rotation = eye(Width);
        for (int factor = 0; factor < 2; factor++)
        {
            Tensor dense = zeros([Width, Width]), permutation = zeros([Width, Width]);
            for (int block = 0; block < Blocks; block++)
            {
                Tensor half = halves[factor][block], skew = (half - half.t()) * 0.5;
                dense.narrow(0, block * Size, Size).narrow(1, block * Size, Size).copy_(linalg.solve(eye(Size) + skew, eye(Size) - skew, left: false));
            }

            // Half blocks 0 1 2 3 of a stretch of two blocks become 0 2 1 3.
            int[] order = factor == 0 ? [0, 1, 2, 3] : [0, 2, 1, 3];
            for (int i = 0; i < Width; i++)
            {
                int from = (i / 8 * 8) + (order[i % 8 / 2] * 2) + (i % 2);
                permutation.narrow(0, i, 1).narrow(1, from, 1).fill_(1);
            }

            rotation = permutation.mm(dense).mm(permutation.t()).mm(rotation);
        }

        using BoftAdapter sut = new(halves, scale, new() { BlockSize = Size, Factors = 2 });
        Near.Equal((rotation.mm(weight.t()).t() * scale).contiguous().Floats(), sut.Merge(weight, null).Weight.contiguous().Floats(), 1e-5, "weight");
    }

    [Fact]
    public void Oft_ExactTransform_IsARotationAndTheSeriesIsNearItsInverse()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Tensor random = Values(1, 3, 4, 4) * 0.1, skew = random - random.transpose(1, 2), exact = Cayley.Transform(skew);
        Near.Equal(eye(4).expand(3, 4, 4).contiguous().Floats(), exact.bmm(exact.transpose(1, 2)).contiguous().Floats(), 1e-5, "R Rᵀ");
        // I + 2Q + 2Q² + 2Q³ + Q⁴ for five terms.
        Tensor square = skew.bmm(skew), cube = square.bmm(skew), expected = eye(4) + (skew * 2) + (square * 2) + (cube * 2) + cube.bmm(skew);
        Near.Equal(expected.Floats(), Cayley.Series(skew, 5).contiguous().Floats(), 1e-6, "series");
        Near.Equal(Cayley.Transform(-skew).contiguous().Floats(), Cayley.Series(skew, 20).contiguous().Floats(), 1e-3, "long series");
    }

    [Theory]
    [InlineData(256, -1, 16, 16)]
    [InlineData(128, -1, 8, 16)]
    [InlineData(127, -1, 1, 127)]
    [InlineData(128, 4, 4, 32)]
    [InlineData(128, 10, 8, 16)]
    [InlineData(12, 5, 3, 4)]
    public void LokrShape_Split_IsAsDocumentedByPeft(long width, int wanted, long low, long high) => Assert.Equal((low, high), LokrShape.Split(width, wanted));

    [Theory]
    [InlineData(777, 1, 1)]
    [InlineData(777, 50, 50)]
    [InlineData(0, 1000, 40)]
    [InlineData(4294967301, 700, 699)]
    public void TorchPermutation_First_IsTheBeginningOfTorchsOwn(long seed, long length, int count)
    {
        using Generator generator = new Generator().manual_seed(seed);
        using Tensor expected = randperm(length, generator: generator);
        Assert.Equal(expected.data<long>().ToArray()[..count], TorchPermutation.First((ulong)seed, length, count));
    }

    private static Parameter Values(ulong seed, params long[] shape)
    {
        Parameter values = Weights.Allocate(shape);
        Weights.FillNormal(values.Floats(), 1, new(seed));
        return values;
    }
}
