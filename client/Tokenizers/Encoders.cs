using System.Runtime.InteropServices;
using System.Text;
using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tokenizers;

/// <summary>Remembers the ids of short pieces.</summary>
/// <param name="inner">Asked for pieces not remembered.</param>
internal sealed class CachingEncoder(IPieceEncoder inner) : IPieceEncoder
{
    private readonly WordCache _cache = new();

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.Length is 0 or > WordCache.MaxLength)
        {
            inner.Encode(piece, ids);
        }
        else if (!_cache.TryGet(piece, ids, out ulong hash))
        {
            int start = ids.Count;
            inner.Encode(piece, ids);
            _cache.Add(piece, hash, CollectionsMarshal.AsSpan(ids)[start..]);
        }
    }
}

/// <summary>Cuts pieces before each row of a mark, where that changes no ids: no token has the mark behind another character.</summary>
/// <param name="inner">Encodes the parts.</param>
/// <param name="mark">The mark: U+2581.</param>
internal sealed class CuttingEncoder(IPieceEncoder inner, char mark) : IPieceEncoder
{
    /// <summary>Whether the mark stands behind another character in any of the tokens.</summary>
    public static bool IsSafe(IEnumerable<string> tokens, char mark) => !tokens.Any(token =>
    {
        int first = token.AsSpan().IndexOfAnyExcept(mark);
        return first >= 0 && token.AsSpan(first).Contains(mark);
    });

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        while (!piece.IsEmpty)
        {
            int word = piece.IndexOfAnyExcept(mark);
            int next = word < 0 ? -1 : piece[word..].IndexOf(mark);
            int end = next < 0 ? piece.Length : word + next;
            inner.Encode(piece[..end], ids);
            piece = piece[end..];
        }
    }
}

/// <summary>Hands pieces on as their UTF-8 bytes, each written as a character of <see cref="ByteAlphabet"/>.</summary>
/// <param name="inner">Encodes what is written.</param>
internal sealed class ByteMappingEncoder(IPieceEncoder inner) : IPieceEncoder
{
    private byte[] _bytes = [];
    private char[] _chars = [];

    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        int most = Encoding.UTF8.GetMaxByteCount(piece.Length);
        if (_bytes.Length < most)
            (_bytes, _chars) = (new byte[most], new char[most]);

        int count = Encoding.UTF8.GetBytes(piece, _bytes);
        for (int i = 0; i < count; i++)
            _chars[i] = ByteAlphabet.CharOf(_bytes[i]);

        inner.Encode(_chars.AsSpan(0, count), ids);
    }
}
