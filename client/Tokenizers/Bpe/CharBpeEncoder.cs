using System.Runtime.InteropServices;
using System.Text;
using Federated.Client.Tokenizers.Characters;
using Federated.Client.Tokenizers.Decoders;

namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Encodes pieces that start as characters: with marks for the inside and the end of a word, and with bytes for characters that the vocabulary lacks.</summary>
internal sealed class CharBpeEncoder : IPieceEncoder
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly PairMerger _merger;
    private readonly BpeOptions _options;
    private readonly string _prefix;
    private readonly string _suffix;
    private readonly int? _unknown;
    private readonly int[]? _bytes;
    private readonly char[] _token;
    private readonly List<int> _symbols = [];

    public CharBpeEncoder(Vocabulary vocabulary, BpeOptions options, MergeTable table)
    {
        (_ids, _options, _merger) = (vocabulary.IdsBySpan(), options, new PairMerger(table));
        (_prefix, _suffix) = (options.Prefix ?? "", options.Suffix ?? "");
        _unknown = options.UnknownToken is { } unknown ? vocabulary.Id(unknown) : null;
        _token = new char[_prefix.Length + 2 + _suffix.Length];
        if (options.ByteFallback)
            _bytes = [.. Enumerable.Range(0, 256).Select(value => vocabulary.Id(ByteFallbackDecoder.TokenOf((byte)value)) ?? -1)];
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_options.IgnoreMerges && _ids.TryGetValue(piece, out int whole))
        {
            ids.Add(whole);
            return;
        }

        Start(piece);
        Span<int> symbols = CollectionsMarshal.AsSpan(_symbols);
        ids.AddRange(symbols[.._merger.Merge(symbols)]);
    }

    /// <summary>Fills in the symbols of a piece, in the library's order: an unknown one is held back until it is known whether more follow to fuse with.</summary>
    private void Start(ReadOnlySpan<char> piece)
    {
        _symbols.Clear();
        bool heldBack = false;
        for (int position = 0, length; position < piece.Length; position += length)
        {
            CodePoints.At(piece, position, out length);
            ReadOnlySpan<char> symbol = Symbol(piece.Slice(position, length), first: position == 0, last: position + length == piece.Length);
            if (_ids.TryGetValue(symbol, out int id))
            {
                Flush(ref heldBack);
                _symbols.Add(id);
            }
            else if (!TryBytes(symbol) && _unknown is not null)
            {
                if (!_options.FuseUnknown)
                    Flush(ref heldBack);

                heldBack = true;
            }
        }

        Flush(ref heldBack);
    }

    private void Flush(ref bool heldBack)
    {
        if (heldBack)
            _symbols.Add(_unknown!.Value);

        heldBack = false;
    }

    private ReadOnlySpan<char> Symbol(ReadOnlySpan<char> character, bool first, bool last)
    {
        string prefix = first ? "" : _prefix, suffix = last ? _suffix : "";
        if (prefix.Length + suffix.Length == 0)
            return character;

        prefix.CopyTo(_token);
        character.CopyTo(_token.AsSpan(prefix.Length));
        suffix.CopyTo(_token.AsSpan(prefix.Length + character.Length));
        return _token.AsSpan(0, prefix.Length + character.Length + suffix.Length);
    }

    private bool TryBytes(ReadOnlySpan<char> symbol)
    {
        if (_bytes is null)
            return false;

        Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(symbol.Length)];
        utf8 = utf8[..Encoding.UTF8.GetBytes(symbol, utf8)];
        foreach (byte value in utf8)
        {
            if (_bytes[value] < 0)
                return false;
        }

        foreach (byte value in utf8)
            _symbols.Add(_bytes[value]);

        return true;
    }
}
