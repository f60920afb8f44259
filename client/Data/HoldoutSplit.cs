using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Client.Data;

/// <summary>What <see cref="HoldoutSplit"/> needs to know of an example, so that its text need not be kept.</summary>
/// <param name="Label">Examples are divided within each label; empty where there is none.</param>
/// <param name="Hash">First 16 bytes of SHA-256 over seed and text, or bytes.</param>
public readonly record struct HoldoutKey(string Label, UInt128 Hash)
{
    /// <summary>The key of an example.</summary>
    /// <param name="text">Its text; equal ones land on one side.</param>
    /// <param name="label">Its label, or null.</param>
    /// <param name="seed">Another seed gives another division.</param>
    public static HoldoutKey Of(string text, string? label, ulong seed)
    {
        using IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> block = stackalloc byte[4096];
        BinaryPrimitives.WriteUInt64LittleEndian(block, seed);
        sha.AppendData(block[..sizeof(ulong)]);
        Encoder utf8 = Encoding.UTF8.GetEncoder();
        for (ReadOnlySpan<char> rest = text; ;)
        {
            utf8.Convert(rest, block, flush: true, out int read, out int written, out bool completed);
            sha.AppendData(block[..written]);
            rest = rest[read..];
            if (completed)
                break;
        }

        return Of(sha, label);
    }

    /// <summary>The key of an example that is bytes, such as an image.</summary>
    /// <param name="content">Its bytes; equal ones land on one side.</param>
    /// <param name="label">Its label, or null.</param>
    /// <param name="seed">Another seed gives another division.</param>
    public static HoldoutKey Of(ReadOnlySpan<byte> content, string? label, ulong seed)
    {
        using IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> start = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(start, seed);
        sha.AppendData(start);
        sha.AppendData(content);
        return Of(sha, label);
    }

    private static HoldoutKey Of(IncrementalHash sha, string? label)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        sha.GetHashAndReset(digest);
        return new(label ?? "", BinaryPrimitives.ReadUInt128BigEndian(digest));
    }
}

/// <summary>Divides examples into those to train on and those held out for evaluation.</summary>
/// <remarks>
/// By content: within each label, examples are ordered by SHA-256 of the seed (8 bytes, little-endian) and their UTF-8 text, and the first ones
/// are held out. So the division depends on neither the order nor the name of the file, is the same on every machine, keeps the share of each
/// label, and equal texts of one label always land on one side. Near-duplicates are not looked for.
/// </remarks>
public static class HoldoutSplit
{
    /// <summary>Divides examples.</summary>
    /// <param name="examples">Examples in any order.</param>
    /// <param name="share">Share to hold out, from 0 to 0.5; of each label with two different texts or more at least one is held out unless it is 0.</param>
    /// <returns>Indices into <paramref name="examples"/>, ascending.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is out of range.</exception>
    public static (int[] Train, int[] Holdout) Divide(IReadOnlyList<HoldoutKey> examples, double share)
    {
        if (!(share is >= 0 and <= 0.5))
            throw new ArgumentOutOfRangeException(nameof(share), share, "The share to hold out; wanted 0 to 0.5.");

        HashSet<int> holdout = [];
        if (share > 0)
        {
            foreach (var label in examples.Index().GroupBy(entry => entry.Item.Label, StringComparer.Ordinal))
                holdout.UnionWith(HeldOut([.. label.Select(entry => (entry.Index, entry.Item.Hash))], share));
        }

        ILookup<bool, int> sides = Enumerable.Range(0, examples.Count).ToLookup(holdout.Contains);
        return ([.. sides[false]], [.. sides[true]]);
    }

    private static IEnumerable<int> HeldOut((int Index, UInt128 Hash)[] examples, double share)
    {
        Array.Sort(examples, (one, other) => one.Hash.CompareTo(other.Hash));
        int count = (int)Math.Max(1, Math.Round(examples.Length * share, MidpointRounding.AwayFromZero));

        // Equal texts stay together; they go to training if otherwise nothing were left for it.
        while (count < examples.Length && examples[count].Hash == examples[count - 1].Hash)
            count++;

        if (count == examples.Length)
            count = Array.FindIndex(examples, example => example.Hash == examples[^1].Hash);

        return examples.Take(count).Select(example => example.Index);
    }
}
