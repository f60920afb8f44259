using System.Buffers;

namespace Grpc.Core;

/// <summary>One received message, for a deserializer.</summary>
public abstract class DeserializationContext
{
    /// <summary>Bytes.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>The message as an array of its own.</summary>
    public virtual byte[] PayloadAsNewBuffer() => throw new NotImplementedException();

    /// <summary>The message in the transport's buffers; valid only while the deserializer runs.</summary>
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw new NotImplementedException();
}
