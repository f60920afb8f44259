using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.PreTokenisers;
using Federated.Client.Tokenizers.Python;
using Federated.Client.Tokenizers.WordPiece;

namespace Federated.Client.Tokenizers.Files;

/// <summary><c>vocab.txt</c>, a token a line, as <c>BertTokenizer</c> and <c>DistilBertTokenizer</c> read it.</summary>
internal static class WordPieceFile
{
    public const string Name = "vocab.txt";

    private static readonly Dictionary<string, string> Roles = new()
    {
        ["unk_token"] = "[UNK]", ["sep_token"] = "[SEP]", ["pad_token"] = "[PAD]", ["cls_token"] = "[CLS]", ["mask_token"] = "[MASK]",
    };

    public static TokenizerParts Read(string folder, TokenizerConfig config)
    {
        string family = (config.ClassName ?? "BertTokenizer").Replace("Fast", "", StringComparison.Ordinal);
        if (family is not ("BertTokenizer" or "DistilBertTokenizer"))
            throw new TokenizerFormatException(folder, "tokenizer_config.json", $"tokenizer_class '{Vocabulary.Shown(family)}' cannot be read from {Name}; wanted BertTokenizer or DistilBertTokenizer, or a tokenizer.json beside it.");

        string path = Path.Combine(folder, Name);
        Vocabulary vocabulary = ReadVocabulary(path);
        PythonTokens tokens = new(config, vocabulary, Roles);
        bool basic = config.Flag("do_basic_tokenize") ?? true, lower = basic && (config.Flag("do_lower_case") ?? true);
        NamedToken separator = tokens.Named("sep_token", folder), classifier = tokens.Named("cls_token", folder);
        return new()
        {
            Python = new() { Preparation = lower ? [Lowercase(tokens)] : [] },
            Normalisers = basic ? [new BasicCleaner(config.Flag("tokenize_chinese_chars") ?? true), new UnicodeNormaliser(UnicodeForm.NFC)] : [],
            PreTokenisers = [basic ? Words(config, tokens, lower) : new WhitespaceSplitPreTokeniser()],
            Model = new WordPieceModel(vocabulary, new(tokens.Role("unk_token") ?? Roles["unk_token"]) { WholeWords = basic ? config.NeverSplit : [] }, path),
            AddedTokens = tokens.Added,
            PostProcessors = [new BertPostProcessor(separator, classifier)],
            Decoders = [new PythonDecoder(tokens.Own, spaced: true, stretch => string.Join(' ', stretch).Replace(" ##", "", StringComparison.Ordinal).Trim())],
            Special = tokens.Special,
            Source = folder,
        };
    }

    private static PythonLowercase Lowercase(PythonTokens tokens) =>
        new([.. tokens.AllSpecial, .. tokens.Added.Where(token => !token.Special && token.Normalized).Select(token => token.Content)]);

    private static BasicWords Words(TokenizerConfig config, PythonTokens tokens, bool lower)
    {
        // Special tokens were cut out before, so only those that the configuration names can still be met as words.
        HashSet<string> whole = config.NeverSplit.Count == 0 ? [] : [.. config.NeverSplit, .. tokens.AllSpecial];
        return new(lower, config.Flag("strip_accents") ?? lower, whole);
    }

    /// <summary>A token that stands on several lines has the number of its last.</summary>
    private static Vocabulary ReadVocabulary(string path)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        ReadOnlySpan<char> text = BoundedFile.Text(BoundedFile.Read(path), path);
        for (int id = 0; !text.IsEmpty; id++)
        {
            if (id == TokenizerLimits.MaxVocabulary)
                throw new TokenizerFormatException(path, $"line {id + 1}", $"got more than {TokenizerLimits.MaxVocabulary} lines; wanted fewer.");

            int end = text.IndexOfAny('\r', '\n');
            ReadOnlySpan<char> line = end < 0 ? text : text[..end];
            ids[line.ToString()] = id;
            int lineEnd = end < 0 ? 0 : text[end..] is ['\r', '\n', ..] ? 2 : 1;
            text = text[(line.Length + lineEnd)..];
        }

        return new(ids, path);
    }
}
