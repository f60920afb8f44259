using System.Text.Json;

namespace Federated.Client.Tokenizers.Decoders;

/// <summary><c>BPEDecoder</c>: the mark at the end of a word becomes a space, at the end of the text nothing.</summary>
/// <param name="Suffix"><c>suffix</c>; not empty.</param>
public sealed record BpeDecoder(string Suffix = "</w>") : IDecoder
{
    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        for (int i = 0; i < tokens.Count; i++)
            tokens[i] = tokens[i].Replace(Suffix, i == tokens.Count - 1 ? "" : " ", StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BPEDecoder");
        json.WriteString("suffix", Suffix);
        json.WriteEndObject();
    }
}
