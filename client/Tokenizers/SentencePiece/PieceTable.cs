using Federated.Client.Tokenizers.Decoders;

namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>The pieces of a model, checked and indexed.</summary>
internal sealed class PieceTable
{
    private readonly List<Piece> _pieces;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _spelled;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _reserved;
    private readonly int[] _bytes = new int[256];

    /// <exception cref="TokenizerFormatException">A piece occurs twice, there is no unknown piece or more than one, or bytes and byte_fallback do not fit.</exception>
    public PieceTable(SentencePieceFile file, string name)
    {
        _pieces = file.Pieces;
        Vocabulary = new(_pieces.Select((piece, id) => KeyValuePair.Create(piece.Text, id)), name);
        Dictionary<string, int> spelled = new(StringComparer.Ordinal), reserved = new(StringComparer.Ordinal);
        Array.Fill(_bytes, PieceTrie.None);
        int[] unknown = [.. Enumerable.Range(0, _pieces.Count).Where(id => _pieces[id].Type == PieceType.Unknown)];
        Unknown = unknown is [var only] ? only : throw new TokenizerFormatException(name, "pieces", $"{unknown.Length} of them are of type UNKNOWN; wanted one.");
        for (int id = 0; id < _pieces.Count; id++)
        {
            Piece piece = _pieces[id];
            (IsSpelled(piece.Type) ? spelled : reserved).Add(piece.Text, id);
            if (piece.Type == PieceType.UserDefined)
                (UserDefined ??= new()).Add(piece.Text, id);

            if (piece.Type != PieceType.Byte)
                continue;

            if (!file.ByteFallback || ByteFallbackDecoder.ByteOf(piece.Text) is not { } value)
                throw new TokenizerFormatException(name, $"piece {id}", $"'{Vocabulary.Shown(piece.Text)}' is of type BYTE; wanted <0x00> to <0xFF> in a model with byte_fallback.");

            _bytes[value] = id;
        }

        HasBytes = file.ByteFallback;
        if (HasBytes && _bytes.AsSpan().Contains(PieceTrie.None))
            throw new TokenizerFormatException(name, "pieces", "the model has byte_fallback but not all 256 pieces of type BYTE.");

        (_spelled, _reserved) = (spelled.GetAlternateLookup<ReadOnlySpan<char>>(), reserved.GetAlternateLookup<ReadOnlySpan<char>>());
    }

    public Vocabulary Vocabulary { get; }

    /// <summary>Id of the unknown piece.</summary>
    public int Unknown { get; }

    /// <summary>Whether unknown characters are spelled in bytes.</summary>
    public bool HasBytes { get; }

    /// <summary>Pieces that are found in a text before anything else; null if there are none.</summary>
    public PieceTrie? UserDefined { get; }

    public Piece this[int id] => _pieces[id];

    /// <summary>The id of a byte's piece.</summary>
    public int Byte(byte value) => _bytes[value];

    /// <summary>The id of a piece that text can be spelled with, or <see cref="PieceTrie.None"/>.</summary>
    public int Spelled(ReadOnlySpan<char> text) => _spelled.TryGetValue(text, out int id) ? id : PieceTrie.None;

    /// <summary>The id of any piece; the unknown one's if there is none.</summary>
    public int Id(ReadOnlySpan<char> text) => _reserved.TryGetValue(text, out int id) || _spelled.TryGetValue(text, out id) ? id : Unknown;

    /// <summary>Texts and ids of all pieces that text can be spelled with.</summary>
    public IEnumerable<(string Text, int Id)> AllSpelled() =>
        _pieces.Select((piece, id) => (piece, id)).Where(entry => IsSpelled(entry.piece.Type)).Select(entry => (entry.piece.Text, entry.id));

    private static bool IsSpelled(PieceType type) => type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused;
}
