using Federated.Client.Tokenizers.Unigram;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the <c>Unigram</c> model of <c>tokenizer.json</c>.</summary>
internal static class UnigramJson
{
    public static UnigramModel Read(JsonPlace node)
    {
        List<ScoredToken> tokens = [];
        foreach (JsonPlace item in node["vocab"].Items(TokenizerLimits.MaxVocabulary))
        {
            tokens.Add(item.Items(2).ToArray() is [var token, var score]
                ? new(token.Text(TokenizerLimits.MaxTokenLength), score.Number())
                : throw item.Wrong("an array of another length; wanted [token, score]."));
        }

        int? unknown = node["unk_id"] is { IsNull: false } id ? id.Integer(TokenizerLimits.MaxVocabulary) : null;
        return new(tokens, unknown, node["byte_fallback"].Boolean(missing: false), node.File);
    }
}
