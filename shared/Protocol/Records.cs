using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>MessagePack records on the wire and in the journal: the same bytes in both.</summary>
public static class Records
{
    private static readonly MessagePackSerializerOptions Options =
        MessagePackSerializerOptions.Standard.WithSecurity(
            MessagePackSecurity.UntrustedData.WithMaximumObjectGraphDepth(ProtocolLimits.RecordDepth));

    /// <summary>Encodes <paramref name="record"/>.</summary>
    public static byte[] Encode<T>(T record) => MessagePackSerializer.Serialize(record, Options);

    /// <summary>Decodes a record from an untrusted peer.</summary>
    /// <param name="bytes">Encoded record, at most <see cref="ProtocolLimits.RecordBytes"/>.</param>
    /// <param name="what">What the record is, for the message.</param>
    /// <exception cref="FederatedException"><see cref="RejectReason.MessageTooLarge"/> or <see cref="RejectReason.Malformed"/>.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> bytes, string what)
        where T : class
    {
        if (bytes.Length > ProtocolLimits.RecordBytes)
        {
            throw new FederatedException(RejectReason.MessageTooLarge,
                $"The {what} has {bytes.Length} bytes; at most {ProtocolLimits.RecordBytes} are allowed.");
        }

        try
        {
            return MessagePackSerializer.Deserialize<T>(bytes, Options)
                ?? throw new FederatedException(RejectReason.Malformed, $"The {what} is nil; a {typeof(T).Name} record was expected.");
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException)
        {
            throw new FederatedException(RejectReason.Malformed,
                $"The {what} ({bytes.Length} bytes) is not a valid {typeof(T).Name} record. Coordinator and agent may be of different versions.", e);
        }
    }
}
