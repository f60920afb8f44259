using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.Client.Tokenizers.Characters;
using Federated.Client.Tokenizers.Patterns;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary><c>Punctuation</c>: parts each punctuation mark from the rest.</summary>
/// <param name="Behavior"><c>behavior</c>: what becomes of the marks.</param>
public sealed record PunctuationPreTokeniser(SplitBehavior Behavior = SplitBehavior.Isolated) : IPreTokeniser
{
    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        List<Segment> segments = [];
        int start = 0;
        for (int position = 0, length; position < text.Length; position += length)
        {
            if (!CharacterClasses.Is(CodePoints.At(text, position, out length), CharacterClass.Punctuation))
                continue;

            if (position > start)
                segments.Add(new(start, position - start, IsMatch: false));

            segments.Add(new(position, length, IsMatch: true));
            start = position + length;
        }

        if (start < text.Length)
            segments.Add(new(start, text.Length - start, IsMatch: false));

        SegmentRules.Apply(CollectionsMarshal.AsSpan(segments), Behavior, invert: false, pieces);
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Punctuation");
        json.WriteString("behavior", Behavior.ToString());
        json.WriteEndObject();
    }
}
