using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the <c>BPE</c> model of <c>tokenizer.json</c>; merges as strings (<c>"a b"</c>, older files) or as pairs.</summary>
internal static class BpeJson
{
    public static BpeModel Read(JsonPlace node)
    {
        if (node["dropout"] is { IsNull: false } dropout && dropout.Number() != 0)
            throw dropout.Wrong("a dropout; wanted null, since ids have to be the same every time.");

        Vocabulary vocabulary = ReadVocabulary(node["vocab"]);
        BpeOptions options = new(
            node["unk_token"] is { IsNull: false } unknown ? unknown.Text() : null,
            node["fuse_unk"].Boolean(missing: false),
            node["byte_fallback"].Boolean(missing: false),
            node["ignore_merges"].Boolean(missing: false),
            Affix(node["continuing_subword_prefix"]),
            Affix(node["end_of_word_suffix"]));
        List<BpeMerge> merges = [];
        foreach (JsonPlace item in node["merges"].Items(TokenizerLimits.MaxMerges))
            merges.Add(Merge(item, vocabulary, options.Prefix));

        return new BpeModel(vocabulary, merges, options, node.File);
    }

    /// <summary>An object of tokens with their ids.</summary>
    public static Vocabulary ReadVocabulary(JsonPlace node) => new(
        node.Members(TokenizerLimits.MaxVocabulary).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Integer(TokenizerLimits.MaxVocabulary))), node.File);

    private static string? Affix(JsonPlace node) => node.IsNull ? null : node.Text(TokenizerLimits.MaxTokenLength);

    private static BpeMerge Merge(JsonPlace item, Vocabulary vocabulary, string? prefix)
    {
        if (item.IsText)
        {
            return item.Text().Split(' ') is [var before, var after]
                ? BpeModel.Merge(vocabulary, before, after, item.File, item.Path, prefix)
                : throw item.Wrong("a string without exactly one space; wanted two tokens with a space between.");
        }

        return item.Items(2).ToArray() is [var left, var right]
            ? BpeModel.Merge(vocabulary, left.Text(), right.Text(), item.File, item.Path, prefix)
            : throw item.Wrong("an array of another length; wanted two tokens.");
    }
}
