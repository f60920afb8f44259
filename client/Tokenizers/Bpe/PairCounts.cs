using System.Runtime.InteropServices;

namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Words as symbols, and how often each pair of neighbours occurs in them, kept up to date while pairs are merged.</summary>
internal sealed class PairCounts
{
    private readonly List<Word> _words = [];
    private readonly Dictionary<ulong, Pair> _pairs = [];

    /// <summary>May hold old counts, which are put right when they come up: a pair whose count grew is queued again.</summary>
    private readonly PriorityQueue<ulong, (long NegativeCount, ulong Key)> _queue = new();

    public PairCounts(IEnumerable<(int[] Symbols, long Count)> words)
    {
        foreach ((int[] symbols, long count) in words)
        {
            _words.Add(new(symbols, count));
            AddPairs(_words.Count - 1, symbol: null, grown: null);
        }

        foreach ((ulong key, Pair pair) in _pairs)
            _queue.Enqueue(key, (-pair.Count, key));
    }

    /// <summary>Takes the most frequent pair off the queue, of equals the smallest; none if it occurs less than <paramref name="minimum"/> times.</summary>
    public bool TryTakeMostFrequent(int minimum, out int left, out int right)
    {
        while (_queue.TryDequeue(out ulong key, out (long NegativeCount, ulong Key) priority))
        {
            long count = _pairs.TryGetValue(key, out Pair? pair) ? pair.Count : 0;
            if (count < minimum)
                continue;

            if (count == -priority.NegativeCount)
            {
                (left, right) = ((int)(key >> 32), (int)(uint)key);
                return true;
            }

            _queue.Enqueue(key, (-count, key));
        }

        (left, right) = (0, 0);
        return false;
    }

    /// <summary>Replaces the pair by a new symbol wherever it stands, from left to right.</summary>
    public void Merge(int left, int right, int symbol)
    {
        if (!_pairs.Remove(Key(left, right), out Pair? merged))
            return;

        HashSet<ulong> grown = [];
        foreach (int index in merged.Words)
        {
            Word word = _words[index];
            if (!word.Holds(left, right))
                continue;

            RemovePairs(word);
            word.Replace(left, right, symbol);
            AddPairs(index, symbol, grown);
        }

        foreach (ulong key in grown)
            _queue.Enqueue(key, (-_pairs[key].Count, key));
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    /// <summary>Counts a word's pairs. With a new symbol only the pairs that hold it can be new to the word; they are noted in <paramref name="grown"/>.</summary>
    private void AddPairs(int index, int? symbol, HashSet<ulong>? grown)
    {
        Word word = _words[index];
        for (int i = 0; i + 1 < word.Length; i++)
        {
            (int left, int right) = (word.Symbols[i], word.Symbols[i + 1]);
            ref Pair? pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, Key(left, right), out _);
            pair ??= new();
            pair.Count += word.Count;
            if (symbol is not null && left != symbol && right != symbol)
                continue;

            // The list may name a word twice, or one that has lost the pair meanwhile: Merge looks before it acts.
            if (pair.Words.Count == 0 || pair.Words[^1] != index)
                pair.Words.Add(index);

            grown?.Add(Key(left, right));
        }
    }

    private void RemovePairs(Word word)
    {
        for (int i = 0; i + 1 < word.Length; i++)
        {
            if (_pairs.TryGetValue(Key(word.Symbols[i], word.Symbols[i + 1]), out Pair? pair))
                pair.Count -= word.Count;
        }
    }

    private sealed class Pair
    {
        public long Count { get; set; }

        public List<int> Words { get; } = [];
    }

    private sealed class Word(int[] symbols, long count)
    {
        public int[] Symbols { get; } = symbols;

        public int Length { get; private set; } = symbols.Length;

        public long Count { get; } = count;

        public bool Holds(int left, int right)
        {
            for (int i = 0; i + 1 < Length; i++)
            {
                if (Symbols[i] == left && Symbols[i + 1] == right)
                    return true;
            }

            return false;
        }

        public void Replace(int left, int right, int symbol)
        {
            int count = 0;
            for (int i = 0; i < Length; i++)
            {
                bool found = i + 1 < Length && Symbols[i] == left && Symbols[i + 1] == right;
                Symbols[count++] = found ? symbol : Symbols[i];
                i += found ? 1 : 0;
            }

            Length = count;
        }
    }
}
