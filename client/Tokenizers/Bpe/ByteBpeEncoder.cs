using System.Buffers;
using System.Text;

namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Encodes pieces as the bytes of their UTF-8 form.</summary>
/// <param name="symbols">What bytes start as.</param>
/// <param name="table">Merges.</param>
/// <param name="wholeTokens">If given, a piece that is a token of this vocabulary as a whole is not merged at all.</param>
internal sealed class ByteBpeEncoder(ByteSymbols symbols, MergeTable table, Vocabulary? wholeTokens) : IPieceEncoder
{
    private const int StackBytes = WordCache.MaxLength * 3;

    private readonly WordCache _cache = new();
    private readonly PairMerger _merger = new(table);

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.IsEmpty)
            return;

        if (piece.Length > WordCache.MaxLength)
        {
            EncodeLong(piece, ids);
            return;
        }

        if (_cache.TryGet(piece, ids, out ulong hash))
            return;

        // Three bytes a UTF-16 unit at most, a surrogate pair four in all.
        Span<byte> bytes = stackalloc byte[StackBytes];
        Span<int> found = stackalloc int[StackBytes];
        int count = Encode(bytes[..Encoding.UTF8.GetBytes(piece, bytes)], found);
        ids.AddRange(found[..count]);
        _cache.Add(piece, hash, found[..count]);
    }

    private void EncodeLong(ReadOnlySpan<char> piece, List<int> ids)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetByteCount(piece));
        int length = Encoding.UTF8.GetBytes(piece, bytes);
        int[] found = ArrayPool<int>.Shared.Rent(length);
        ids.AddRange(found.AsSpan(0, Encode(bytes.AsSpan(0, length), found)));
        ArrayPool<int>.Shared.Return(found);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private int Encode(ReadOnlySpan<byte> bytes, Span<int> found)
    {
        if (wholeTokens is not null && bytes.Length <= TokenizerLimits.MaxTokenLength && WholeToken(bytes) is { } id)
        {
            found[0] = id;
            return 1;
        }

        return _merger.Merge(found[..symbols.Start(bytes, found)]);
    }

    private int? WholeToken(ReadOnlySpan<byte> bytes)
    {
        Span<char> token = stackalloc char[TokenizerLimits.MaxTokenLength];
        for (int i = 0; i < bytes.Length; i++)
            token[i] = ByteAlphabet.CharOf(bytes[i]);

        return wholeTokens!.IdsBySpan().TryGetValue(token[..bytes.Length], out int id) ? id : null;
    }
}
