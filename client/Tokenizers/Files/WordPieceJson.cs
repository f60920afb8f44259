using Federated.Client.Tokenizers.WordPiece;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the <c>WordPiece</c> model of <c>tokenizer.json</c>.</summary>
internal static class WordPieceJson
{
    public static WordPieceModel Read(JsonPlace node)
    {
        WordPieceOptions standard = new();
        return new(
            BpeJson.ReadVocabulary(node["vocab"]),
            new WordPieceOptions(
                node["unk_token"] is { IsNull: false } unknown ? unknown.Text() : standard.UnknownToken,
                node["continuing_subword_prefix"] is { IsNull: false } prefix ? prefix.Text(TokenizerLimits.MaxTokenLength) : standard.Prefix,
                node["max_input_chars_per_word"] is { IsNull: false } most ? most.Integer(TokenizerLimits.MaxWordCharacters + 1) : standard.MaxCharacters),
            node.File);
    }
}
