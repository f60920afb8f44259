using System.Text;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>The most probable spelling, by Viterbi's algorithm; sums are rounded to float32 at each place, as SentencePiece's are.</summary>
internal sealed class UnigramSpeller : ISpeller
{
    private const float UnknownPenalty = 10;

    private readonly PieceTable _pieces;
    private readonly PieceTrie _trie = new();
    private readonly float _unknownScore;

    /// <summary>Highest score; begins, as SentencePiece's does, at the smallest positive number.</summary>
    private readonly float _highest = MathF.ScaleB(1, -126);

    private Step[] _best = [];

    public UnigramSpeller(PieceTable pieces)
    {
        _pieces = pieces;
        float lowest = float.MaxValue;
        foreach ((string text, int id) in pieces.AllSpelled())
        {
            if (pieces[id].Type == PieceType.Normal)
                (lowest, _highest) = (Math.Min(lowest, pieces[id].Score), Math.Max(_highest, pieces[id].Score));

            if (pieces[id].Type != PieceType.Unused)
                _trie.Add(text, id);
        }

        _unknownScore = lowest - UnknownPenalty;
    }

    public void Spell(ReadOnlySpan<char> text, List<SpelledPart> parts)
    {
        if (_best.Length <= text.Length)
            _best = new Step[text.Length + 1];

        Array.Fill(_best, new Step(0, -1, _pieces.Unknown), 0, text.Length + 1);
        for (int start = 0, length; start < text.Length; start += length)
        {
            CodePoints.At(text, start, out length);
            OfferPieces(text, start, length);
        }

        int first = parts.Count;
        for (int end = text.Length; end > 0; end = _best[end].From)
            parts.Add(new(_best[end].From, end - _best[end].From, _best[end].Id));

        parts.Reverse(first, parts.Count - first);
    }

    private void OfferPieces(ReadOnlySpan<char> text, int start, int character)
    {
        float here = _best[start].Score;
        bool single = false;
        int node = PieceTrie.Root;
        for (int end = start; end < text.Length && (node = _trie.Next(node, text[end])) != PieceTrie.None; end++)
        {
            int id = _trie.Id(node);
            if (id == PieceTrie.None)
                continue;

            int length = end + 1 - start;
            single |= length == character;
            Offer(end + 1, start, id, Score(id, text.Slice(start, length)) + here);
        }

        if (!single)
            Offer(start + character, start, _pieces.Unknown, _unknownScore + here);
    }

    /// <summary>A user-defined piece scores so that it always wins; its length counts in bytes.</summary>
    private double Score(int id, ReadOnlySpan<char> text) => _pieces[id].Type == PieceType.UserDefined
        ? (Encoding.UTF8.GetByteCount(text) * _highest) - 0.1
        : _pieces[id].Score;

    /// <summary>Takes a step if it is the first to its end, or better than the one before; of equals the first stays.</summary>
    private void Offer(int end, int start, int id, double score)
    {
        ref Step best = ref _best[end];
        if (best.From < 0 || score > best.Score)
            best = new((float)score, start, id);
    }

    /// <summary>The best way to a place: its score, where its last piece starts, and that piece.</summary>
    private readonly record struct Step(float Score, int From, int Id);
}
