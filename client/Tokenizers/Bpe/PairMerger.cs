namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Applies merges to the symbols of one piece: always the earliest one, and of equals the leftmost.</summary>
internal sealed class PairMerger(MergeTable table)
{
    /// <summary>Up to here, looking at every pair again after each merge is faster than keeping a heap.</summary>
    private const int ScanLimit = 64;

    private readonly PriorityQueue<int, ulong> _queue = new();
    private ulong[] _merges = [];
    private int[] _next = [];
    private int[] _previous = [];

    /// <summary>Merges <paramref name="symbols"/> in place and returns how many are left at its start.</summary>
    public int Merge(Span<int> symbols)
    {
        if (symbols.Length < 2)
            return symbols.Length;

        return symbols.Length <= ScanLimit ? MergeByScan(symbols) : MergeByQueue(symbols);
    }

    private int MergeByScan(Span<int> symbols)
    {
        // merges[i] is the merge of symbols i and i + 1; the last place stays None.
        Span<ulong> merges = stackalloc ulong[ScanLimit];
        int count = symbols.Length;
        for (int i = 0; i < count - 1; i++)
            merges[i] = table.Find(symbols[i], symbols[i + 1]);

        merges[count - 1] = MergeTable.None;
        while (true)
        {
            int best = 0;
            for (int i = 1; i < count; i++)
            {
                if (merges[i] < merges[best])
                    best = i;
            }

            if (merges[best] == MergeTable.None)
                return count;

            symbols[best] = (int)(uint)merges[best];
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            merges[(best + 1)..count].CopyTo(merges[best..]);
            count--;
            merges[best] = best + 1 < count ? table.Find(symbols[best], symbols[best + 1]) : MergeTable.None;
            if (best > 0)
                merges[best - 1] = table.Find(symbols[best - 1], symbols[best]);
        }
    }

    /// <summary>For long pieces: n log n instead of n squared, so that a text of one letter a million times over does no harm.</summary>
    private int MergeByQueue(Span<int> symbols)
    {
        Prepare(symbols);
        while (_queue.TryDequeue(out int at, out ulong priority))
        {
            // An entry is stale when the symbol was merged away or its pair has changed since.
            if (_merges[at] == MergeTable.None || _merges[at] >> 32 != priority >> 32)
                continue;

            int right = _next[at];
            symbols[at] = (int)(uint)_merges[at];
            _merges[right] = MergeTable.None;
            _next[at] = _next[right];
            if (_next[at] < symbols.Length)
                _previous[_next[at]] = at;

            Update(symbols, at);
            if (_previous[at] >= 0)
                Update(symbols, _previous[at]);
        }

        int count = 0;
        for (int at = 0; at < symbols.Length; at = _next[at])
            symbols[count++] = symbols[at];

        return count;
    }

    private void Prepare(ReadOnlySpan<int> symbols)
    {
        if (_merges.Length < symbols.Length)
            (_merges, _next, _previous) = (new ulong[symbols.Length], new int[symbols.Length], new int[symbols.Length]);

        _queue.Clear();
        for (int i = 0; i < symbols.Length; i++)
            (_next[i], _previous[i]) = (i + 1, i - 1);

        for (int i = 0; i < symbols.Length; i++)
            Update(symbols, i);
    }

    private void Update(ReadOnlySpan<int> symbols, int at)
    {
        int right = _next[at];
        ulong merge = right < symbols.Length ? table.Find(symbols[at], symbols[right]) : MergeTable.None;
        _merges[at] = merge;
        if (merge != MergeTable.None)
            _queue.Enqueue(at, (merge & 0xFFFFFFFF00000000) | (uint)at);
    }
}
