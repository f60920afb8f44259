using Federated.Shared.Protocol;

namespace Federated.Coordinator.Store;

/// <summary>Records to bytes and back: MessagePack, the type beside it.</summary>
internal static class JournalCodec
{
    /// <summary>The type number and the payload of a record.</summary>
    public static (RecordType Type, byte[] Payload) Encode(IJournalRecord record) => record switch
    {
        RunCreated r => (RecordType.RunCreated, Records.Encode(r)),
        RoundOpened r => (RecordType.RoundOpened, Records.Encode(r)),
        UpdateAccepted r => (RecordType.UpdateAccepted, Records.Encode(r)),
        AggregateWritten r => (RecordType.AggregateWritten, Records.Encode(r)),
        RoundCommitted r => (RecordType.RoundCommitted, Records.Encode(r)),
        RoundAborted r => (RecordType.RoundAborted, Records.Encode(r)),
        ConflictEvidence r => (RecordType.ConflictEvidence, Records.Encode(r)),
        CleanStop r => (RecordType.CleanStop, Records.Encode(r)),
        RunEnded r => (RecordType.RunEnded, Records.Encode(r)),
        SiteJoined r => (RecordType.SiteJoined, Records.Encode(r)),
        _ => throw new ArgumentException($"{record.GetType().Name} has no record type.", nameof(record)),
    };

    /// <summary>Reads a record back.</summary>
    /// <param name="lsn">Its number, for messages.</param>
    /// <param name="type">Type number.</param>
    /// <param name="payload">The record's bytes.</param>
    /// <exception cref="StoreTooNewException">A type that this version does not know.</exception>
    /// <exception cref="StoreCorruptException">The payload is not a record of its type.</exception>
    public static IJournalRecord Decode(long lsn, long type, ReadOnlyMemory<byte> payload)
    {
        try
        {
            return (RecordType)type switch
            {
                RecordType.RunCreated => Records.Decode<RunCreated>(payload, "record"),
                RecordType.RoundOpened => Records.Decode<RoundOpened>(payload, "record"),
                RecordType.UpdateAccepted => Records.Decode<UpdateAccepted>(payload, "record"),
                RecordType.AggregateWritten => Records.Decode<AggregateWritten>(payload, "record"),
                RecordType.RoundCommitted => Records.Decode<RoundCommitted>(payload, "record"),
                RecordType.RoundAborted => Records.Decode<RoundAborted>(payload, "record"),
                RecordType.ConflictEvidence => Records.Decode<ConflictEvidence>(payload, "record"),
                RecordType.CleanStop => Records.Decode<CleanStop>(payload, "record"),
                RecordType.RunEnded => Records.Decode<RunEnded>(payload, "record"),
                RecordType.SiteJoined => Records.Decode<SiteJoined>(payload, "record"),
                _ => throw new StoreTooNewException(
                    $"Journal record {lsn} has type {type}, which this version does not know. Start the version that wrote it, or a newer one."),
            };
        }
        catch (FederatedException e)
        {
            throw new StoreCorruptException($"Journal record {lsn} (type {type}, {payload.Length} bytes) cannot be read: {e.Message}", e);
        }
    }
}
