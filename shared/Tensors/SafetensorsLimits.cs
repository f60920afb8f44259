namespace Federated.Shared.Tensors;

/// <summary>Bounds that hold before anything is allocated for a header.</summary>
public sealed record SafetensorsLimits
{
    /// <summary>For files that an operator chose: the official library's header limit, generous counts.</summary>
    public static SafetensorsLimits Local { get; } = new();

    /// <summary>For headers that arrive over the network: 1 MiB, 20,000 tensors, rank 4, each dimension at most 2^31.</summary>
    public static SafetensorsLimits Upload { get; } = new()
    {
        MaxHeaderBytes = 1 << 20,
        MaxTensors = 20_000,
        MaxRank = 4,
        MaxDimension = 1L << 31,
    };

    /// <summary>Longest JSON header in bytes, without the 8-byte length prefix.</summary>
    public int MaxHeaderBytes { get; init; } = 100_000_000;

    /// <summary>Most tensors in one file.</summary>
    public int MaxTensors { get; init; } = 200_000;

    /// <summary>Most dimensions of one tensor; small, since the stack holds them while a header is read.</summary>
    public int MaxRank { get; init; } = 8;

    /// <summary>Largest size of one dimension.</summary>
    public long MaxDimension { get; init; } = 1L << 40;

    /// <summary>Longest tensor name, and longest metadata key, in characters.</summary>
    public int MaxNameLength { get; init; } = 4096;

    /// <summary>Most metadata entries.</summary>
    public int MaxMetadataEntries { get; init; } = 1000;
}
