using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary><c>Whitespace</c>: rows of word characters, and rows of what is neither word character nor white space (<c>\w+|[^\w\s]+</c>).</summary>
public sealed class WhitespacePreTokeniser : IPreTokeniser
{
    private const CharacterClass Kinds = CharacterClass.Word | CharacterClass.Space;

    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        for (int start = 0, end; start < text.Length; start = end)
        {
            CharacterClass kind = CharacterClasses.Of(CodePoints.At(text, start, out int length)) & Kinds;
            end = start + length;
            while (end < text.Length && (CharacterClasses.Of(CodePoints.At(text, end, out length)) & Kinds) == kind)
                end += length;

            if (kind != CharacterClass.Space)
                pieces.Add(new(start, end - start));
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Whitespace");
        json.WriteEndObject();
    }
}
