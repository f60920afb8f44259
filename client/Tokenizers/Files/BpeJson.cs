using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the <c>BPE</c> model of <c>tokenizer.json</c>; merges as strings (<c>"a b"</c>, older files) or as pairs.</summary>
internal static class BpeJson
{
    public static BpeModel Read(JsonPlace node)
    {
        if (node["dropout"] is { IsNull: false } dropout && dropout.Number() != 0)
            throw dropout.Wrong("a dropout; wanted null, since ids have to be the same every time.");

        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (node[affix] is { IsNull: false } text && text.Text().Length > 0)
                throw text.Wrong("an affix; wanted null or \"\": byte-level BPE, the kind that is supported, has none.");
        }

        Vocabulary vocabulary = new(
            node["vocab"].Members(TokenizerLimits.MaxVocabulary).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Integer(TokenizerLimits.MaxVocabulary))),
            node.File);
        BpeOptions options = new(
            node["unk_token"] is { IsNull: false } unknown ? unknown.Text() : null,
            node["fuse_unk"].Boolean(missing: false),
            node["byte_fallback"].Boolean(missing: false),
            node["ignore_merges"].Boolean(missing: false));
        List<BpeMerge> merges = [];
        foreach (JsonPlace item in node["merges"].Items(TokenizerLimits.MaxMerges))
            merges.Add(Merge(item, vocabulary));

        return new BpeModel(vocabulary, merges, options, node.File);
    }

    private static BpeMerge Merge(JsonPlace item, Vocabulary vocabulary)
    {
        if (item.IsText)
        {
            return item.Text().Split(' ') is [var before, var after]
                ? BpeModel.Merge(vocabulary, before, after, item.File, item.Path)
                : throw item.Wrong("a string without exactly one space; wanted two tokens with a space between.");
        }

        return item.Items(2).ToArray() is [var left, var right]
            ? BpeModel.Merge(vocabulary, left.Text(), right.Text(), item.File, item.Path)
            : throw item.Wrong("an array of another length; wanted two tokens.");
    }
}
