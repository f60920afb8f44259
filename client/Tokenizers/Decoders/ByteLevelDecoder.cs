using System.Buffers;
using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tokenizers.Decoders;

/// <summary><c>ByteLevel</c>: tokens of <see cref="ByteAlphabet"/> back to bytes, and those read as UTF-8.</summary>
/// <remarks>A token with a character outside the alphabet (an added one, such as a word with a space) stands for its own UTF-8 bytes. The options
/// are kept for writing the file back; decoding does not depend on them.</remarks>
public sealed record ByteLevelDecoder(bool AddPrefixSpace = true, bool TrimOffsets = true, bool UseRegex = true) : IDecoder
{
    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        int capacity = 0;
        foreach (string token in tokens)
            capacity += Encoding.UTF8.GetMaxByteCount(token.Length);

        byte[] bytes = ArrayPool<byte>.Shared.Rent(capacity);
        int count = 0;
        foreach (string token in tokens)
            count += Append(token, bytes.AsSpan(count));

        tokens.Clear();
        tokens.Add(Encoding.UTF8.GetString(bytes, 0, count));
        ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json) =>
        new PreTokenisers.ByteLevelPreTokeniser(AddPrefixSpace, UseRegex, TrimOffsets).Write(json);

    private static int Append(string token, Span<byte> bytes)
    {
        for (int i = 0; i < token.Length; i++)
        {
            if (!ByteAlphabet.TryByteOf(token[i], out bytes[i]))
                return Encoding.UTF8.GetBytes(token, bytes);
        }

        return token.Length;
    }
}
