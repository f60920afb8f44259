using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Compat.Torch.Tests;

/// <summary>Native tensors are freed once: on Dispose, at a scope's end, or by the finalizer of a leaked handle.</summary>
public class LifetimeTests
{
    [Fact]
    public void Dispose_Twice_FreesOnce()
    {
        long before = Live.Settled;
        Tensor tensor = zeros(3);
        tensor.Dispose();
        tensor.Dispose();

        Assert.Equal(before, Live.Tensors);
    }

    [Fact]
    public void Finalizer_LeakedTensors_ReturnsTheCount()
    {
        Collect();
        long before = Live.Settled;

        Leak(200);
        Assert.True(Live.Tensors >= before + 200);
        Collect();

        Assert.Equal(before, Live.Tensors);
    }

    [Fact]
    public void Finalizer_ThreadDiedWithAnOpenScope_ReturnsTheCount()
    {
        Collect();
        long before = Live.Settled;

        Thread thread = new(() =>
        {
            NewDisposeScope();
            Leak(50);
        });
        thread.Start();
        thread.Join();
        Collect();

        Assert.Equal(before, Live.Tensors);
    }

    // Temporaries are collected while native code reads them, unless the call keeps them alive.
    [Fact]
    public void Call_CollectorRunsMeanwhile_ArgumentsStayAlive()
    {
        using CancellationTokenSource stop = new();
        Thread collector = new(() =>
        {
            while (!stop.IsCancellationRequested) Collect();
        });
        collector.Start();
        try
        {
            for (int i = 0; i < 300; i++)
            {
                using Tensor sum = (Fresh(i) + Fresh(1)).sum();
                Assert.Equal(1000 * (i + 1), sum.item<float>());
            }
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }

        static Tensor Fresh(float value) => full(1000, value);
    }

    [Fact]
    public void TrainingLoop_InScopes_LiveTensorsStayFlat()
    {
        Collect();
        long atStart = Live.Settled, afterFirst = 0;
        using (Sequential model = Sequential(("in", Linear(8, 16)), ("act", GELU()), ("out", Linear(16, 4))))
        using (AdamW optimizer = optim.AdamW(model.parameters(), lr: 0.01, weight_decay: 0.1))
        using (Tensor inputs = randn(32, 8), targets = randint(4, [32L]))
        {
            optim.lr_scheduler.LRScheduler schedule = optim.lr_scheduler.LinearLR(optimizer);
            for (int step = 0; step < 20; step++)
            {
                using (NewDisposeScope())
                {
                    optimizer.zero_grad();
                    functional.cross_entropy(model.call(inputs), targets).backward();
                    nn.utils.clip_grad_norm_(model.parameters(), 1);
                    optimizer.step();
                    schedule.step();
                }

                if (step == 0) afterFirst = Live.Tensors;
                Assert.Equal(afterFirst, Live.Tensors);
            }
        }

        Assert.Equal(atStart + (4 * Live.PerParameter), Live.Tensors);
    }

    [Fact]
    public void Parameter_FromTensor_TakesTheHandleOver()
    {
        long before = Live.Settled;
        using (NewDisposeScope())
        {
            Tensor data = ones(2);
            Parameter parameter = Parameter(data);
            Assert.True(data.IsInvalid);
            Assert.True(parameter.requires_grad);
            Assert.Equal(1, CurrentDisposeScope!.DisposablesCount);
        }

        Assert.Equal(before + Live.PerParameter, Live.Tensors);
    }

    [Fact]
    public void Alias_OriginalDisposed_KeepsTheData()
    {
        Tensor original = arange(4);
        using Tensor view = original.view(2, 2);
        original.Dispose();

        Assert.Equal([0, 1, 2, 3], view.data<long>().ToArray());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leak(int count)
    {
        for (int i = 0; i < count; i++) _ = ones(4);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
