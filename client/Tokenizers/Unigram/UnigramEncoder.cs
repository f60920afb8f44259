using System.Buffers;
using System.Text;
using Federated.Client.Tokenizers.Characters;
using Federated.Client.Tokenizers.Decoders;

namespace Federated.Client.Tokenizers.Unigram;

/// <summary>Finds the most probable spelling by Viterbi's algorithm: at each place the best way to get there.</summary>
internal sealed class UnigramEncoder : IPieceEncoder
{
    /// <summary>Marks a stretch of the spelling that no token covers.</summary>
    private const int UnknownToken = PieceTrie.None;

    private readonly UnigramModel _model;
    private readonly int[]? _bytes;
    private readonly SearchValues<byte> _missing = SearchValues.Create(Array.Empty<byte>());
    private Step[] _best = [];

    public UnigramEncoder(UnigramModel model)
    {
        _model = model;
        if (!model.ByteFallback)
            return;

        _bytes = [.. Enumerable.Range(0, 256).Select(value => model.Vocabulary.Id(ByteFallbackDecoder.TokenOf((byte)value)) ?? UnknownToken)];
        _missing = SearchValues.Create([.. Enumerable.Range(0, 256).Where(value => _bytes[value] == UnknownToken).Select(value => (byte)value)]);
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_best.Length <= piece.Length)
            _best = new Step[piece.Length + 1];

        FindBest(piece);
        int start = ids.Count;
        for (int end = piece.Length; end > 0;)
        {
            Step step = _best[end];
            if (step.Id == UnknownToken || step.Id == _model.Unknown)
            {
                // Unknown stretches in a row are one.
                int from = step.From;
                while (from > 0 && (_best[from].Id == UnknownToken || _best[from].Id == _model.Unknown))
                    from = _best[from].From;

                AddUnknownReversed(piece[from..end], ids);
                end = from;
            }
            else
            {
                ids.Add(step.Id);
                end = step.From;
            }
        }

        ids.Reverse(start, ids.Count - start);
    }

    private void FindBest(ReadOnlySpan<char> piece)
    {
        PieceTrie trie = _model.Trie;
        Array.Fill(_best, new Step(0, -1, UnknownToken), 0, piece.Length + 1);
        _best[0] = new(0, 0, UnknownToken);
        for (int start = 0, length; start < piece.Length; start += length)
        {
            CodePoints.At(piece, start, out length);
            double here = _best[start].Score;
            bool single = false;
            int node = PieceTrie.Root;
            for (int end = start; end < piece.Length && (node = trie.Next(node, piece[end])) != PieceTrie.None; end++)
            {
                int id = trie.Id(node);
                if (id == PieceTrie.None)
                    continue;

                single |= end + 1 - start == length;
                Offer(end + 1, new(here + _model.Tokens[id].Score, start, id));
            }

            if (!single)
                Offer(start + length, new(here + (_model.LeastScore - UnigramModel.UnknownPenalty), start, UnknownToken));
        }
    }

    /// <summary>Takes a step if it is the first to its end, or better than the one before; of equals the first stays.</summary>
    private void Offer(int end, Step step)
    {
        ref Step best = ref _best[end];
        if (best.From < 0 || step.Score > best.Score)
            best = step;
    }

    /// <summary>An unknown stretch that happens to be a token is that token; else it is bytes if all of them have one; else the unknown token.</summary>
    private void AddUnknownReversed(ReadOnlySpan<char> text, List<int> ids)
    {
        if (_model.Vocabulary.IdsBySpan().TryGetValue(text, out int id))
        {
            ids.Add(id);
            return;
        }

        if (_bytes is not null)
        {
            byte[] utf8 = new byte[Encoding.UTF8.GetByteCount(text)];
            Encoding.UTF8.GetBytes(text, utf8);
            if (!utf8.AsSpan().ContainsAny(_missing))
            {
                for (int i = utf8.Length - 1; i >= 0; i--)
                    ids.Add(_bytes[utf8[i]]);

                return;
            }
        }

        if (_model.Unknown is { } unknown)
            ids.Add(unknown);
    }

    /// <summary>The best way to a place: its score, where its last token starts, and that token.</summary>
    private readonly record struct Step(double Score, int From, int Id);
}
