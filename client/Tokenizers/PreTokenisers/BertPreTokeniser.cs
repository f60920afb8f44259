using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary><c>BertPreTokenizer</c>: words are what stands between white space, and each punctuation mark is a word.</summary>
public sealed class BertPreTokeniser : IPreTokeniser
{
    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        int start = 0, position = 0;
        for (int length; position < text.Length; position += length)
        {
            CharacterClass found = CharacterClasses.Of(CodePoints.At(text, position, out length));
            if ((found & (CharacterClass.Space | CharacterClass.Punctuation)) == 0)
                continue;

            if (position > start)
                pieces.Add(new(start, position - start));

            if ((found & CharacterClass.Space) == 0)
                pieces.Add(new(position, length));

            start = position + length;
        }

        if (position > start)
            pieces.Add(new(start, position - start));
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BertPreTokenizer");
        json.WriteEndObject();
    }
}
