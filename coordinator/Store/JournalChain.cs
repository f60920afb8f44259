using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Federated.Coordinator.Store;

/// <summary>The hash chain over the journal: a later edit of any record shows, and the newest link stands for all of them.</summary>
/// <remarks>
/// h_0 = 32 zero bytes, h_i = SHA-256(h_{i-1} || record), the record in its file form: u32 length of the payload, u16 type,
/// u16 flags (0), u64 lsn, payload, u32 CRC-32C (Castagnoli) of all before; little-endian.
/// </remarks>
internal static class JournalChain
{
    private const int HeaderLength = 16;

    /// <summary>h_0.</summary>
    public static byte[] Start => new byte[SHA256.HashSizeInBytes];

    /// <summary>The link after <paramref name="previous"/>.</summary>
    public static byte[] Next(ReadOnlySpan<byte> previous, long lsn, RecordType type, ReadOnlySpan<byte> payload)
    {
        byte[] record = FileForm(lsn, type, payload);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        hash.AppendData(record);
        return hash.GetHashAndReset();
    }

    /// <summary>The record as a file store would write it.</summary>
    public static byte[] FileForm(long lsn, RecordType type, ReadOnlySpan<byte> payload)
    {
        byte[] record = new byte[HeaderLength + payload.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)payload.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(4), (ushort)type);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(8), (ulong)lsn);
        payload.CopyTo(record.AsSpan(HeaderLength));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(HeaderLength + payload.Length), Crc32C(record.AsSpan(0, HeaderLength + payload.Length)));
        return record;
    }

    /// <summary>CRC-32C of <paramref name="bytes"/>; "123456789" gives e3069283.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
