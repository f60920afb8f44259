using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>Merges neighbours whose concatenation is a piece, the one of the highest score first and of equals the leftmost.</summary>
/// <remarks>Not the pairs are learned here, as in other BPE models, but their results. User-defined pieces do not merge; unused ones are taken apart again.</remarks>
internal sealed class BpeSpeller(PieceTable pieces) : ISpeller
{
    private readonly List<Symbol> _symbols = [];
    private readonly PriorityQueue<Candidate, (float NegativeScore, int Left)> _queue = new();
    private readonly Dictionary<int, (int First, int Second)> _halves = [];

    public void Spell(ReadOnlySpan<char> text, List<SpelledPart> parts)
    {
        Start(text);
        for (int i = 1; i < _symbols.Count; i++)
            Offer(text, i - 1, i);

        while (_queue.TryDequeue(out Candidate best, out _))
        {
            (Symbol left, Symbol right) = (_symbols[best.Left], _symbols[best.Right]);

            // Stale when one of the two was merged since.
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != best.Length)
                continue;

            _symbols[best.Left] = left with { Length = best.Length, Next = right.Next };
            _symbols[best.Right] = right with { Length = 0 };
            if (right.Next >= 0)
                _symbols[right.Next] = _symbols[right.Next] with { Previous = best.Left };

            Offer(text, left.Previous, best.Left);
            Offer(text, best.Left, right.Next);
        }

        for (int i = 0; i >= 0 && i < _symbols.Count; i = _symbols[i].Next)
            Emit(text, _symbols[i].Start, _symbols[i].Length, parts);
    }

    private void Start(ReadOnlySpan<char> text)
    {
        _symbols.Clear();
        _queue.Clear();
        _halves.Clear();
        for (int position = 0, length; position < text.Length; position += length)
        {
            length = 0;
            bool frozen = pieces.UserDefined is { } trie && trie.Longest(PieceTrie.Root, text[position..], out length) != PieceTrie.None;
            if (!frozen)
                CodePoints.At(text, position, out length);

            int index = _symbols.Count;
            _symbols.Add(new(position, length, index - 1, position + length < text.Length ? index + 1 : -1, frozen));
        }
    }

    private void Offer(ReadOnlySpan<char> text, int left, int right)
    {
        if (left < 0 || right < 0 || _symbols[left].Frozen || _symbols[right].Frozen)
            return;

        int length = _symbols[left].Length + _symbols[right].Length;
        int id = pieces.Spelled(text.Slice(_symbols[left].Start, length));
        if (id == PieceTrie.None)
            return;

        _queue.Enqueue(new(left, right, length), (-pieces[id].Score, left));
        if (pieces[id].Type == PieceType.Unused)
            _halves[id] = (_symbols[left].Length, _symbols[right].Length);
    }

    /// <summary>Depth is bounded by the length of a piece.</summary>
    private void Emit(ReadOnlySpan<char> text, int start, int length, List<SpelledPart> parts)
    {
        int id = pieces.Id(text.Slice(start, length));
        if (pieces[id].Type == PieceType.Unused && _halves.TryGetValue(id, out (int First, int Second) halves))
        {
            Emit(text, start, halves.First, parts);
            Emit(text, start + halves.First, halves.Second, parts);
        }
        else
        {
            parts.Add(new(start, length, id));
        }
    }

    /// <summary>A stretch of the text; of length 0 when it was merged into the one before. Neighbours by index, -1 at the ends.</summary>
    private readonly record struct Symbol(int Start, int Length, int Previous, int Next, bool Frozen);

    private readonly record struct Candidate(int Left, int Right, int Length);
}
