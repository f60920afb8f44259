using System.Text.Json;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary><c>WhitespaceSplit</c>: what stands between white space.</summary>
public sealed class WhitespaceSplitPreTokeniser : IPreTokeniser
{
    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        // White space lies below U+FFFF, so looking at single UTF-16 units is enough.
        int start = 0;
        for (int position = 0; position <= text.Length; position++)
        {
            if (position < text.Length && !char.IsWhiteSpace(text[position]))
                continue;

            if (position > start)
                pieces.Add(new(start, position - start));

            start = position + 1;
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "WhitespaceSplit");
        json.WriteEndObject();
    }
}
