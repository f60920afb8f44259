using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a serializer puts one message: either a whole array, or a length followed by writes into the buffer.</summary>
public abstract class SerializationContext
{
    /// <summary>Ends the message with this payload.</summary>
    public virtual void Complete(byte[] payload) => throw new NotImplementedException();

    /// <summary>The transport's own buffer.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotImplementedException();

    /// <summary>Bytes that will be written; lets the transport write the length before the message.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    /// <summary>Ends the message written into the buffer.</summary>
    public virtual void Complete() => throw new NotImplementedException();
}
