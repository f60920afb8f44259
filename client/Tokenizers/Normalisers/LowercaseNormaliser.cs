using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary><c>Lowercase</c>: each character by itself, in no language's manner; so a capital sigma becomes σ at the end of a word too.</summary>
public sealed class LowercaseNormaliser : INormaliser
{
    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        buffer.Clear();
        for (int position = 0, length; position < text.Length; position += length)
            Append(CodePoints.At(text, position, out length), lower: true, buffer);

        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Lowercase");
        json.WriteEndObject();
    }

    /// <summary>Appends a character, in lower case if <paramref name="lower"/>. Half of a surrogate pair stays as it is.</summary>
    internal static void Append(int code, bool lower, TextBuffer buffer)
    {
        // The one character whose lower case is two: i and a dot above.
        if (!lower || code < 0x80)
            buffer.Append(lower && code is >= 'A' and <= 'Z' ? code | 0x20 : code);
        else if (code == 'İ')
            buffer.Append("i\u0307");
        else
            buffer.Append(Rune.IsValid(code) ? Rune.ToLowerInvariant(new Rune(code)).Value : code);
    }
}
