using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Coordinator.Sampling;

/// <summary>Draws the sites of a round without replacement, each set equally likely, the same on every machine and after every restart.</summary>
/// <remarks>
/// A site's ticket is SHA-256(seed as u64, round as u32, attempt as u32, little-endian, then the name in UTF-8); the lowest
/// tickets are drawn. The attempt is in it so that a site which is gone for good does not block every attempt at a round.
/// Knowing nothing of who is present, it cannot be steered by when a site connects.
/// </remarks>
internal static class CohortSampler
{
    /// <summary>Draws <paramref name="count"/> of <paramref name="sites"/>.</summary>
    /// <returns>Names in ordinal order.</returns>
    public static IReadOnlyList<string> Draw(IReadOnlyList<string> sites, int count, ulong seed, int round, int attempt) =>
    [
        .. sites
            .OrderBy(site => Ticket(site, seed, round, attempt), StringComparer.Ordinal)
            .Take(count)
            .Order(StringComparer.Ordinal),
    ];

    private static string Ticket(string site, ulong seed, int round, int attempt)
    {
        byte[] text = new byte[16 + Encoding.UTF8.GetByteCount(site)];
        BinaryPrimitives.WriteUInt64LittleEndian(text, seed);
        BinaryPrimitives.WriteInt32LittleEndian(text.AsSpan(8), round);
        BinaryPrimitives.WriteInt32LittleEndian(text.AsSpan(12), attempt);
        Encoding.UTF8.GetBytes(site, text.AsSpan(16));
        return Convert.ToHexString(SHA256.HashData(text));
    }
}
