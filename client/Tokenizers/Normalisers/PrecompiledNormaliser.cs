using System.Globalization;
using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary><c>Precompiled</c>: SentencePiece's table of replacements as the tokenizers library applies it: to grapheme clusters of fewer than six bytes as a whole, to the characters of others one by one, and of the entries that fit the shortest.</summary>
public sealed class PrecompiledNormaliser : INormaliser
{
    private const int ClusterBytes = 6;

    private readonly CharsMap _map;

    /// <summary>Makes the stage.</summary>
    /// <param name="table"><c>precompiled_charsmap</c>, decoded.</param>
    /// <param name="source">File that the table comes from, for error messages.</param>
    /// <param name="place">Where in the file.</param>
    /// <exception cref="TokenizerFormatException">The table is damaged.</exception>
    public PrecompiledNormaliser(ReadOnlyMemory<byte> table, string source = "tokenizer", string place = "precompiled_charsmap")
    {
        Table = table;
        _map = new(table.Span, source, place);
    }

    /// <summary>The table as it stands in the file.</summary>
    public ReadOnlyMemory<byte> Table { get; }

    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        buffer.Clear();
        int copied = 0, position = 0;
        while (position < text.Length)
        {
            if (IsPlain(text, position))
            {
                position++;
                continue;
            }

            int length = StringInfo.GetNextTextElementLength(text[position..]);
            ReadOnlySpan<char> cluster = text.Slice(position, length);
            if (Encoding.UTF8.GetByteCount(cluster) < ClusterBytes && _map.Shortest(cluster) is { } whole)
            {
                buffer.Append(text[copied..position]);
                buffer.Append(whole);
                copied = position + length;
            }
            else
            {
                ReplaceSingly(text, position, length, ref copied, buffer);
            }

            position += length;
        }

        if (copied == 0)
            return text;

        buffer.Append(text[copied..]);
        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Precompiled");
        json.WriteBase64String("precompiled_charsmap", Table.Span);
        json.WriteEndObject();
    }

    /// <summary>An ASCII character without entry whose neighbour is ASCII too is a cluster of its own; all but a CR, which may join with an LF.</summary>
    private bool IsPlain(ReadOnlySpan<char> text, int position) =>
        text[position] < 0x80 && text[position] != '\r' && (position + 1 == text.Length || text[position + 1] < 0x80) && _map.Keeps(text[position]);

    private void ReplaceSingly(ReadOnlySpan<char> text, int start, int length, ref int copied, TextBuffer buffer)
    {
        for (int position = start, units; position < start + length; position += units)
        {
            CodePoints.At(text, position, out units);
            if (_map.Shortest(text.Slice(position, units)) is not { } replacement)
                continue;

            buffer.Append(text[copied..position]);
            buffer.Append(replacement);
            copied = position + units;
        }
    }
}
