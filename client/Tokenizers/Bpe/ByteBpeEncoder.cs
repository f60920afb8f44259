using System.Text;

namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Encodes pieces as the bytes of their UTF-8 form.</summary>
/// <param name="symbols">What bytes start as.</param>
/// <param name="table">Merges.</param>
/// <param name="wholeTokens">If given, a piece that is a token of this vocabulary as a whole is not merged at all.</param>
internal sealed class ByteBpeEncoder(ByteSymbols symbols, MergeTable table, Vocabulary? wholeTokens) : IPieceEncoder
{
    private readonly PairMerger _merger = new(table);
    private byte[] _bytes = [];
    private int[] _found = [];

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        int most = Encoding.UTF8.GetMaxByteCount(piece.Length);
        if (_bytes.Length < most)
            (_bytes, _found) = (new byte[most], new int[most]);

        ReadOnlySpan<byte> bytes = _bytes.AsSpan(0, Encoding.UTF8.GetBytes(piece, _bytes));
        if (wholeTokens is not null && bytes.Length <= TokenizerLimits.MaxTokenLength && WholeToken(bytes) is { } id)
            ids.Add(id);
        else
            ids.AddRange(_found.AsSpan(0, _merger.Merge(_found.AsSpan(0, symbols.Start(bytes, _found)))));
    }

    private int? WholeToken(ReadOnlySpan<byte> bytes)
    {
        Span<char> token = stackalloc char[TokenizerLimits.MaxTokenLength];
        for (int i = 0; i < bytes.Length; i++)
            token[i] = ByteAlphabet.CharOf(bytes[i]);

        return wholeTokens!.IdsBySpan().TryGetValue(token[..bytes.Length], out int id) ? id : null;
    }
}
