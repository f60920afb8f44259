using System.Numerics;

namespace Federated.Client.Tokenizers;

/// <summary>A prefix tree of tokens over UTF-16 units, in one open-addressing hash table from a node and a unit to the next node.</summary>
internal sealed class PieceTrie
{
    /// <summary>The node that every walk starts from.</summary>
    public const int Root = 0;

    /// <summary>No node, and no token.</summary>
    public const int None = -1;

    private readonly List<int> _ids = [None];
    private ulong[] _keys = new ulong[64];
    private int[] _next = new int[64];
    private int _shift = 64 - 6;

    /// <summary>Adds a token, not empty. A token that is added twice keeps its last id.</summary>
    public void Add(ReadOnlySpan<char> token, int id)
    {
        int node = Root;
        foreach (char unit in token)
        {
            int next = Next(node, unit);
            if (next == None)
            {
                next = _ids.Count;
                _ids.Add(None);
                Insert(Key(node, unit), next);
            }

            node = next;
        }

        _ids[node] = id;
    }

    /// <summary>The node behind a unit, or <see cref="None"/>.</summary>
    public int Next(int node, char unit)
    {
        ulong key = Key(node, unit);
        ulong[] keys = _keys;
        for (int slot = Slot(key); keys[slot] != 0; slot = (slot + 1) & (keys.Length - 1))
        {
            if (keys[slot] == key)
                return _next[slot];
        }

        return None;
    }

    /// <summary>The node behind a text, or <see cref="None"/>.</summary>
    public int Walk(int node, ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length && node != None; i++)
            node = Next(node, text[i]);

        return node;
    }

    /// <summary>The token that ends at a node, or <see cref="None"/>.</summary>
    public int Id(int node) => _ids[node];

    /// <summary>The longest token that a text begins with, <paramref name="node"/> taken for what stands before it; <see cref="None"/> and 0 if there is none.</summary>
    public int Longest(int node, ReadOnlySpan<char> text, out int length)
    {
        int found = None;
        length = 0;
        for (int i = 0; i < text.Length && node != None; i++)
        {
            node = Next(node, text[i]);
            if (node != None && _ids[node] != None)
                (found, length) = (_ids[node], i + 1);
        }

        return found;
    }

    /// <summary>Not 0, which marks a free slot.</summary>
    private static ulong Key(int node, char unit) => ((ulong)(uint)node << 17) | 0x10000 | unit;

    /// <summary>Fibonacci hashing: the upper bits of the product with 2^64 / golden ratio.</summary>
    private int Slot(ulong key) => (int)((key ^ (key >> 31)) * 0x9E3779B97F4A7C15 >> _shift);

    private void Insert(ulong key, int next)
    {
        // At most two thirds full.
        if (_ids.Count * 3L > _keys.Length * 2L)
            Resize();

        int slot = Slot(key);
        while (_keys[slot] != 0)
            slot = (slot + 1) & (_keys.Length - 1);

        (_keys[slot], _next[slot]) = (key, next);
    }

    private void Resize()
    {
        (ulong[] keys, int[] next) = (_keys, _next);
        (_keys, _next) = (new ulong[keys.Length * 2], new int[keys.Length * 2]);
        _shift = 64 - BitOperations.Log2((uint)_keys.Length);
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] != 0)
                Insert(keys[i], next[i]);
        }
    }
}
