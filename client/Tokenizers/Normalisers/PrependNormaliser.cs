using System.Text.Json;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary><c>Prepend</c>: puts a text in front of every stretch between added tokens that is not empty.</summary>
/// <param name="Text"><c>prepend</c>.</param>
public sealed record PrependNormaliser(string Text) : INormaliser
{
    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        if (text.IsEmpty)
            return text;

        buffer.Clear();
        buffer.Append(Text);
        buffer.Append(text);
        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Prepend");
        json.WriteString("prepend", Text);
        json.WriteEndObject();
    }
}
