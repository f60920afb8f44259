using System.Text.Json;

namespace Federated.Client.Tokenizers.Decoders;

/// <summary><c>Fuse</c>: joins all tokens to one, for decoders behind it.</summary>
public sealed class FuseDecoder : IDecoder
{
    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        string fused = string.Concat(tokens);
        tokens.Clear();
        tokens.Add(fused);
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Fuse");
        json.WriteEndObject();
    }
}
