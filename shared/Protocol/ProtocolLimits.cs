namespace Federated.Shared.Protocol;

/// <summary>Bounds that both sides of the wire check before they allocate. Bytes unless said otherwise.</summary>
public static class ProtocolLimits
{
    /// <summary>Version of the contract. A peer with another one is refused with <see cref="RejectReason.ProtocolVersion"/>.</summary>
    public const uint Version = 1;

    /// <summary>Size of a chunk of an upload or a download: large enough for throughput, small enough for progress and cancellation.</summary>
    public const int ChunkBytes = 256 * 1024;

    /// <summary>Largest gRPC message either side accepts: a chunk of at most 1 MiB and its envelope.</summary>
    public const int MessageBytes = (1024 * 1024) + (64 * 1024);

    /// <summary>Largest encoded <see cref="RoundPlan"/> or <see cref="UpdateManifest"/>.</summary>
    public const int RecordBytes = 1024 * 1024;

    /// <summary>Deepest nesting in a MessagePack record.</summary>
    public const int RecordDepth = 16;

    /// <summary>Longest file name, path in a model folder or free text in a record, in UTF-16 units.</summary>
    public const int TextLength = 4096;

    /// <summary>Files in a base model folder.</summary>
    public const int ModelFiles = 1000;

    /// <summary>Tensors in one update.</summary>
    public const int Tensors = 20_000;

    /// <summary>Name of the trailer that carries the code word of a refusal.</summary>
    public const string ReasonTrailer = "fl-reason";

    /// <summary>Name of the trailer that says how long to wait before trying again, in milliseconds.</summary>
    public const string RetryAfterTrailer = "retry-after-ms";
}
