namespace Grpc.Core;

/// <summary>How one message is written.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>May wait in the buffer for the next message.</summary>
    BufferHint = 0x1,

    /// <summary>Stays uncompressed in a compressed stream.</summary>
    NoCompress = 0x2,
}

/// <summary>How the messages of a stream are written.</summary>
public class WriteOptions
{
    public static readonly WriteOptions Default = new();

    public WriteOptions(WriteFlags flags = default) => Flags = flags;

    public WriteFlags Flags { get; }
}
