using System.Text.Json;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Decoders;

/// <summary><c>Metaspace</c>: the mark becomes a space, in the first token nothing unless none was ever put in front.</summary>
/// <param name="Replacement"><c>replacement</c>: the mark.</param>
/// <param name="Scheme"><c>prepend_scheme</c>.</param>
/// <param name="Cuts"><c>split</c>: kept for writing the file back.</param>
public sealed record MetaspaceDecoder(char Replacement = MetaspacePreTokeniser.SpaceMark, PrependScheme Scheme = PrependScheme.Always, bool Cuts = true) : IDecoder
{
    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            string space = i == 0 && Scheme != PrependScheme.Never ? "" : " ";
            tokens[i] = tokens[i].Replace(Replacement.ToString(), space, StringComparison.Ordinal);
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json) => MetaspacePreTokeniser.Write(json, Replacement, Scheme, Cuts);
}
