using System.Numerics;

namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Which two neighbouring tokens become which one, and how early: an open-addressing hash table from a pair of ids.</summary>
internal sealed class MergeTable
{
    /// <summary>What <see cref="Find"/> gives for a pair that does not merge: later than every merge.</summary>
    public const ulong None = ulong.MaxValue;

    private readonly Entry[] _entries;
    private readonly int _shift;

    /// <summary>Builds the table. A pair listed twice keeps its last place, as in the tokenizers library.</summary>
    public MergeTable(IReadOnlyList<BpeMerge> merges)
    {
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, merges.Count * 2));
        _shift = 64 - BitOperations.Log2((uint)capacity);
        _entries = new Entry[capacity];
        Array.Fill(_entries, new Entry(0, None));
        for (int rank = 0; rank < merges.Count; rank++)
        {
            ulong pair = Pack(merges[rank].Left, merges[rank].Right);
            int slot = Slot(pair);
            while (_entries[slot].Merge != None && _entries[slot].Pair != pair)
                slot = (slot + 1) & (_entries.Length - 1);

            _entries[slot] = new Entry(pair, Pack(rank, merges[rank].Result));
        }
    }

    /// <summary>The rank of the merge in the upper half and the id of its result in the lower one, so that the smaller value comes first.</summary>
    public ulong Find(int left, int right)
    {
        ulong pair = Pack(left, right);
        Entry[] entries = _entries;
        int slot = Slot(pair);
        while (true)
        {
            Entry entry = entries[slot];
            if (entry.Pair == pair || entry.Merge == None)
                return entry.Merge;

            slot = (slot + 1) & (entries.Length - 1);
        }
    }

    private static ulong Pack(int high, int low) => ((ulong)(uint)high << 32) | (uint)low;

    /// <summary>Fibonacci hashing: the upper bits of the product with 2^64 / golden ratio.</summary>
    private int Slot(ulong pair) => (int)((pair ^ (pair >> 29)) * 0x9E3779B97F4A7C15 >> _shift);

    private readonly record struct Entry(ulong Pair, ulong Merge);
}
