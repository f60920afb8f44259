using System.Text.RegularExpressions;

namespace Federated.Simulations.Data;

/// <summary>The set of word trigrams of a text, by which near-duplicates are told.</summary>
/// <remarks>
/// Source: Broder, "On the resemblance and containment of documents", 1997. Words are lower-case runs of letters and digits; a text
/// of fewer than three words has one shingle, itself. Shingles are compared by a 64-bit FNV-1a hash.
/// </remarks>
public static partial class Shingles
{
    /// <summary>Words in a shingle.</summary>
    public const int Width = 3;

    /// <summary>Sorted distinct hashes; empty only for a text without letters and digits.</summary>
    public static ulong[] Of(string text)
    {
        string[] words = [.. Word().Matches(text).Select(word => word.Value.ToLowerInvariant())];
        if (words.Length == 0)
            return [];

        int count = Math.Max(1, words.Length - Width + 1);
        ulong[] hashes = new ulong[count];
        for (int i = 0; i < count; i++)
            hashes[i] = Hash(words.AsSpan(i, Math.Min(Width, words.Length)));

        return [.. hashes.Distinct().Order()];
    }

    /// <summary>Shared shingles over all shingles of both sorted sets: 0 to 1; 0 when both are empty.</summary>
    public static double Jaccard(ReadOnlySpan<ulong> first, ReadOnlySpan<ulong> second)
    {
        int shared = 0;
        int i = 0;
        int j = 0;
        while (i < first.Length && j < second.Length)
        {
            ulong a = first[i];
            ulong b = second[j];
            shared += a == b ? 1 : 0;
            i += a <= b ? 1 : 0;
            j += b <= a ? 1 : 0;
        }

        int all = first.Length + second.Length - shared;
        return all == 0 ? 0 : (double)shared / all;
    }

    private static ulong Hash(ReadOnlySpan<string> words)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (string word in words)
        {
            foreach (char c in word)
                hash = (hash ^ c) * 0x100000001B3;

            hash = (hash ^ ' ') * 0x100000001B3;
        }

        return hash;
    }

    [GeneratedRegex(@"[\p{L}\p{Nd}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
