using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

public class DisposeScopeTests
{
    [Fact]
    public void Dispose_ScopeEnds_DisposesWhatWasMadeInside()
    {
        Tensor inside, outside = zeros(2);
        using (NewDisposeScope()) inside = ones(2);

        Assert.True(inside.IsInvalid);
        Assert.False(outside.IsInvalid);
        Assert.Throws<InvalidOperationException>(() => inside.shape);
        outside.Dispose();
    }

    [Fact]
    public void MoveToOuterDisposeScope_NestedScopes_MovesOneLevelAtATime()
    {
        Tensor moved;
        using (DisposeScope outer = NewDisposeScope())
        {
            using (DisposeScope inner = NewDisposeScope())
            {
                moved = ones(2).MoveToOuterDisposeScope();
                Assert.False(inner.Contains(moved));
                Assert.True(outer.Contains(moved));
            }

            Assert.False(moved.IsInvalid);
        }

        Assert.True(moved.IsInvalid);
    }

    [Fact]
    public void MoveToOuterDisposeScope_NoOuterScope_Detaches()
    {
        Tensor result;
        using (NewDisposeScope()) result = ones(2).MoveToOuterDisposeScope();

        Assert.False(result.IsInvalid);
        result.Dispose();
    }

    [Fact]
    public void DetachFromDisposeScope_NestedScopes_SurvivesAll()
    {
        Tensor result;
        using (NewDisposeScope())
        using (NewDisposeScope())
            result = ones(2).DetachFromDisposeScope();

        Assert.Equal(2, result.sum().item<float>());
        result.Dispose();
    }

    [Fact]
    public void Attach_ForeignTensor_IsDisposedWithTheScope()
    {
        Tensor tensor = ones(2);
        using (DisposeScope scope = NewDisposeScope())
        {
            scope.Attach(tensor);
            Assert.Equal(1, scope.DisposablesCount);
            Assert.Throws<InvalidOperationException>(() => scope.Attach(new MemoryStream()));
        }

        Assert.True(tensor.IsInvalid);
    }

    [Fact]
    public void MoveToOtherDisposeScope_OtherTensorsScope_JoinsIt()
    {
        using DisposeScope outer = NewDisposeScope();
        Tensor anchor = ones(1), moved;
        using (NewDisposeScope()) moved = ones(1).MoveToOtherDisposeScope(anchor);

        Assert.True(outer.Contains(moved));
        Assert.False(moved.IsInvalid);
    }

    [Fact]
    public void DisposeEverythingBut_SomeKept_KeepsExactlyThose()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] all = [ones(1), ones(1), ones(1), ones(1)];

        scope.DisposeEverythingBut(all[1], all[3]);

        Assert.Equal([true, false, true, false], all.Select(t => t.IsInvalid));
        Assert.Equal(2, scope.DisposablesCount);
        all[1].Dispose();
        Assert.Equal([all[3]], scope.DisposablesView);
    }

    [Fact]
    public void Dispose_OutOfOrder_LeavesTheInnerScopeInPlace()
    {
        DisposeScope outer = NewDisposeScope(), inner = NewDisposeScope();
        outer.Dispose();

        Tensor tensor = ones(1);
        Assert.True(inner.Contains(tensor));
        inner.Dispose();
        Assert.True(tensor.IsInvalid);
        Assert.Null(CurrentDisposeScope);
        Assert.Throws<ObjectDisposedException>(() => inner.DisposablesCount);
    }

    [Fact]
    public async Task NewDisposeScope_OtherThread_DoesNotSeeIt()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor elsewhere = await Task.Factory.StartNew(() => ones(1), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Assert.False(scope.Contains(elsewhere));
        elsewhere.Dispose();
    }

    [Fact]
    public void WrappedTensorDisposeScope_Intermediates_AreGone()
    {
        long before = Live.Settled;

        using Tensor result = WrappedTensorDisposeScope(() => (ones(3) * 2) + 1);

        Assert.Equal(before + 1, Live.Tensors);
        Assert.Equal(9, result.sum().item<float>());
    }

    [Fact]
    public void Statistics_CreateMoveDispose_AreCounted()
    {
        ThreadDisposeScopeStatistics statistics = DisposeScopeManager.Statistics;
        statistics.Reset();
        using (NewDisposeScope())
        {
            _ = ones(1);
            ones(1).DetachFromDisposeScope().Dispose();
        }

        ones(1).Dispose();

        Assert.Equal((2, 1), (statistics.CreatedInScopeCount, statistics.CreatedOutsideScopeCount));
        Assert.Equal((1, 2, 1), (statistics.DisposedInScopeCount, statistics.DisposedOutsideScopeCount, statistics.DetachedFromScopeCount));
        Assert.Equal(0, statistics.ThreadTotalLiveCount);
    }
}
