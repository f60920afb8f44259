using System.Text.Json;

namespace Federated.Client.Tokenizers.Decoders;

/// <summary><c>WordPiece</c>: a space before each token that does not go on with a word, and tidied spaces if wished.</summary>
/// <param name="Prefix"><c>prefix</c>: marks a token that goes on with a word.</param>
/// <param name="CleansUp"><c>cleanup</c>.</param>
public sealed record WordPieceDecoder(string Prefix = "##", bool CleansUp = true) : IDecoder
{
    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            if (i > 0)
                tokens[i] = tokens[i].StartsWith(Prefix, StringComparison.Ordinal) ? tokens[i][Prefix.Length..] : " " + tokens[i];

            if (CleansUp)
                tokens[i] = SpaceCleanUp.OfToken(tokens[i]);
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "WordPiece");
        json.WriteString("prefix", Prefix);
        json.WriteBoolean("cleanup", CleansUp);
        json.WriteEndObject();
    }
}
