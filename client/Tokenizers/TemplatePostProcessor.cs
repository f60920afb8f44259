using System.Text.Json;

namespace Federated.Client.Tokenizers;

/// <summary><c>TemplateProcessing</c>: any order of special tokens and texts.</summary>
/// <param name="Template">The order.</param>
/// <param name="Names">The name and the ids of each special token that the order uses.</param>
public sealed record TemplatePostProcessor(TokenTemplate Template, IReadOnlyDictionary<string, IReadOnlyList<NamedToken>> Names) : IPostProcessor
{
    /// <summary>A template of tokens that go by their own names.</summary>
    internal static TemplatePostProcessor Of(TokenTemplate template, params NamedToken[] tokens) =>
        new(template, tokens.DistinctBy(token => token.Id).ToDictionary(token => token.Token, IReadOnlyList<NamedToken> (token) => [token]));

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "TemplateProcessing");
        WriteParts(json, "single", Template.ForOne);
        WriteParts(json, "pair", Template.ForPair);
        json.WriteStartObject("special_tokens");
        foreach ((string name, IReadOnlyList<NamedToken> tokens) in Names)
            WriteName(json, name, tokens);

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteParts(Utf8JsonWriter json, string property, IReadOnlyList<TemplatePart> parts)
    {
        json.WriteStartArray(property);
        foreach (TemplatePart part in parts)
        {
            json.WriteStartObject();
            json.WriteStartObject(part.IsText ? "Sequence" : "SpecialToken");
            json.WriteString("id", part.IsText ? (part.Text == 0 ? "A" : "B") : NameOf(part));
            json.WriteNumber("type_id", part.TypeId);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private string NameOf(TemplatePart part) => Names.First(entry => entry.Value.Select(token => token.Id).SequenceEqual(part.Tokens)).Key;

    private static void WriteName(Utf8JsonWriter json, string name, IReadOnlyList<NamedToken> tokens)
    {
        json.WriteStartObject(name);
        json.WriteString("id", name);
        json.WriteStartArray("ids");
        foreach (NamedToken token in tokens)
            json.WriteNumberValue(token.Id);

        json.WriteEndArray();
        json.WriteStartArray("tokens");
        foreach (NamedToken token in tokens)
            json.WriteStringValue(token.Token);

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
