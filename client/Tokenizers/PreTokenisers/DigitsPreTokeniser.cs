using System.Text.Json;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary><c>Digits</c>: parts numbers (<c>\p{N}</c>) from everything else.</summary>
/// <param name="Individual"><c>individual_digits</c>: each digit is a piece, instead of each row of digits.</param>
public sealed record DigitsPreTokeniser(bool Individual) : IPreTokeniser
{
    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        for (int start = 0; start < text.Length;)
        {
            bool isNumber = CharacterKinds.At(text, start, out int length) == CharacterKind.Number;
            int end = start + length;
            while (!(isNumber && Individual) && end < text.Length && CharacterKinds.At(text, end, out length) == CharacterKind.Number == isNumber)
                end += length;

            pieces.Add(new(start, end - start));
            start = end;
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Digits");
        json.WriteBoolean("individual_digits", Individual);
        json.WriteEndObject();
    }
}
