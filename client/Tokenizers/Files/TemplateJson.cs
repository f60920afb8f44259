namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the <c>TemplateProcessing</c> post-processor of <c>tokenizer.json</c>.</summary>
internal static class TemplateJson
{
    /// <summary>More parts than any template has.</summary>
    private const int MaxParts = 64;

    public static TemplatePostProcessor Read(JsonPlace node)
    {
        Dictionary<string, IReadOnlyList<NamedToken>> names = new(StringComparer.Ordinal);
        foreach ((string name, JsonPlace token) in node["special_tokens"].Members(MaxParts))
            names[name] = Tokens(token);

        return new(new TokenTemplate(Parts(node["single"], names, texts: 1), Parts(node["pair"], names, texts: 2)), names);
    }

    private static NamedToken[] Tokens(JsonPlace node)
    {
        int[] ids = [.. node["ids"].Items(MaxParts).Select(id => id.Integer(TokenizerLimits.MaxVocabulary))];
        string[] tokens = [.. node["tokens"].Items(MaxParts).Select(token => token.Text())];
        return ids.Length == tokens.Length && ids.Length > 0
            ? [.. tokens.Zip(ids, (token, id) => new NamedToken(token, id))]
            : throw node.Wrong($"{ids.Length} ids and {tokens.Length} tokens; wanted as many, and at least one.");
    }

    private static TemplatePart[] Parts(JsonPlace node, Dictionary<string, IReadOnlyList<NamedToken>> names, int texts)
    {
        TemplatePart[] parts = [.. node.Items(MaxParts).Select(item => Part(item, names))];
        int[] found = [.. parts.Where(part => part.IsText).Select(part => part.Text).Order()];
        return found.SequenceEqual(Enumerable.Range(0, texts))
            ? parts
            : throw node.Wrong($"a template with {found.Length} texts; wanted {(texts == 1 ? "A" : "A and B")} once each.");
    }

    private static TemplatePart Part(JsonPlace item, Dictionary<string, IReadOnlyList<NamedToken>> names)
    {
        JsonPlace special = item["SpecialToken"];
        JsonPlace part = special.IsNull ? item["Sequence"] : special;
        string id = part["id"].Text();
        int type = part["type_id"].Integer(byte.MaxValue);
        if (special.IsNull)
            return id is "A" or "B" ? new([], id == "A" ? 0 : 1, type) : throw part["id"].Wrong($"'{Vocabulary.Shown(id)}'; wanted 'A' or 'B'.");

        return names.TryGetValue(id, out IReadOnlyList<NamedToken>? tokens)
            ? new([.. tokens.Select(token => token.Id)], 0, type)
            : throw part["id"].Wrong($"'{Vocabulary.Shown(id)}', which is not in special_tokens.");
    }
}
