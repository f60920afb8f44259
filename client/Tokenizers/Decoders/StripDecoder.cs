using System.Text.Json;

namespace Federated.Client.Tokenizers.Decoders;

/// <summary><c>Strip</c>: takes a character off the ends of each token.</summary>
/// <param name="Content"><c>content</c>: the character.</param>
/// <param name="Start"><c>start</c>: how often at most at the beginning.</param>
/// <param name="Stop"><c>stop</c>: how often at most at the end.</param>
public sealed record StripDecoder(string Content, int Start, int Stop) : IDecoder
{
    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            ReadOnlySpan<char> token = tokens[i];
            for (int taken = 0; taken < Start && token.StartsWith(Content, StringComparison.Ordinal); taken++)
                token = token[Content.Length..];

            for (int taken = 0; taken < Stop && token.EndsWith(Content, StringComparison.Ordinal); taken++)
                token = token[..^Content.Length];

            if (token.Length < tokens[i].Length)
                tokens[i] = token.ToString();
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Strip");
        json.WriteString("content", Content);
        json.WriteNumber("start", Start);
        json.WriteNumber("stop", Stop);
        json.WriteEndObject();
    }
}
