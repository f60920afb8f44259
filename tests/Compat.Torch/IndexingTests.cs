using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

/// <summary>Reading and writing through indexers, by hand-made numbers.</summary>
public class IndexingTests
{
    [Fact]
    public void Set_NumbersAndSlices_WriteThrough()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor t = zeros(3, 4, dtype: int64);

        t[0] = arange(4);
        t[1, 2] = tensor(7L);
        t[2, ..2] = tensor(5L);
        t[TensorIndex.Ellipsis, ^1] = tensor([10L, 20L, 30L]);

        Assert.Equal([0, 1, 2, 10, 0, 0, 7, 20, 5, 5, 0, 30], t.data<long>().ToArray());
    }

    [Fact]
    public void Set_MasksAndIndexTensors_WriteThrough()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor t = arange(6).view(2, 3), rows = tensor([1L, 0L]);

        t[t > 3] = tensor(-1L);
        Assert.Equal([0, 1, 2, 3, -1, -1], t.data<long>().ToArray());
        t[TensorIndex.Tensor(rows), 1..] = tensor(new[,] { { 8L, 9L }, { 6L, 7L } });
        Assert.Equal([0, 6, 7, 3, 8, 9], t.data<long>().ToArray());
        TensorIndex first = TensorIndex.Tensor(zeros(3, dtype: int64));
        t.index_put_(tensor([1L, 1L, 1L]), [first, first], accumulate: true);
        Assert.Equal([3, 6, 7, 3, 8, 9], t.data<long>().ToArray());
        t.index_put_((Scalar)2, TensorIndex.Single(0));
        Assert.Equal([2, 2, 2, 3, 8, 9], t.data<long>().ToArray());
    }

    [Fact]
    public void Get_MixedKinds_HaveTheShapesOfNumpy()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor t = arange(60).view(3, 4, 5), mask = tensor(new[,] { { true, false, true, false }, { false, false, false, true }, { false, true, false, false } });
        TensorIndex two = TensorIndex.Tensor(tensor([2L, 0L]));

        Assert.Equal([4, 5], t[^1].shape);
        Assert.Equal([3, 1, 4, 2], t[TensorIndex.Colon, TensorIndex.None, TensorIndex.Colon, 1..3].shape);
        Assert.Equal([4, 5], t[mask].shape);
        Assert.Equal([0, 10, 35, 45], t[TensorIndex.Tensor(mask), 0].data<long>().ToArray());
        Assert.Equal([3, 2, 5], t[TensorIndex.Ellipsis, two, TensorIndex.Colon].shape);
        Assert.Equal([3, 4, 2], t[TensorIndex.Ellipsis, two].shape);
        Assert.Equal([2, 4], t[two, TensorIndex.Colon, two].shape);
        Assert.Equal([1, 3, 4, 5], t[TensorIndex.Bool(true)].shape);
        Assert.Equal([0, 3, 4, 5], t[TensorIndex.Bool(false)].shape);
        Assert.Equal([2, 2, 3], t[..2, TensorIndex.Slice(0, 4, 2), TensorIndex.Slice(step: 2)].shape);
    }

    [Fact]
    public void Get_Views_ShareMemoryAndGradients()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor t = ones(2, 3, requires_grad: true);

        (t[1] * 2).sum().backward();

        Assert.Equal([0, 0, 0, 2, 2, 2], t.grad!.data<float>().ToArray());
        Tensor plain = zeros(2, 3);
        plain[0].fill_(1);
        plain[TensorIndex.Colon, 2].add_(5);
        Assert.Equal([1, 1, 6, 0, 0, 5], plain.data<float>().ToArray());
    }
}
