using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary><c>StripAccents</c>: drops marks. Composed letters keep theirs, so a stage that takes letters apart usually stands before.</summary>
public sealed class StripAccentsNormaliser : INormaliser
{
    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        buffer.Clear();
        int copied = 0;
        for (int position = 0, length; position < text.Length; position += length)
        {
            if (!CharacterClasses.Is(CodePoints.At(text, position, out length), CharacterClass.Mark))
                continue;

            buffer.Append(text[copied..position]);
            copied = position + length;
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
        json.WriteString("type", "StripAccents");
        json.WriteEndObject();
    }
}
