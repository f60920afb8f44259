namespace Federated.Compat.Torch.Tests;

/// <summary>Counts tensors that nothing has freed yet.</summary>
internal static class Live
{
#if OFFICIAL_PACKAGES
    /// <summary>Managed handles: the official package does not say how many native tensors they stand for.</summary>
    public static long Tensors => TorchSharp.torch.Tensor.TotalCount;

    /// <summary>What every parameter made of a tensor leaves in that count: it takes the tensor's handle over, but the count keeps both.</summary>
    public const int PerParameter = 1;
#else
    /// <summary>Native tensors, which the stand-in's bridge counts.</summary>
    public static long Tensors => NativeOps.LiveTensors;

    /// <summary>A parameter takes its tensor's place.</summary>
    public const int PerParameter = 0;
#endif

    /// <summary>The count once what earlier tests left to the collector is gone, which else would go while a test counts.</summary>
    public static long Settled
    {
        get
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return Tensors;
        }
    }
}
