using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary><c>Strip</c>: takes white space off the ends of a text.</summary>
/// <param name="Left"><c>strip_left</c>.</param>
/// <param name="Right"><c>strip_right</c>.</param>
public sealed record StripNormaliser(bool Left, bool Right) : INormaliser
{
    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer) => CodePoints.Trim(text, Left, Right);

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Strip");
        json.WriteBoolean("strip_left", Left);
        json.WriteBoolean("strip_right", Right);
        json.WriteEndObject();
    }
}
