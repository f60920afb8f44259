using System.Text;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.Decoders;
using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.Patterns;
using Federated.Client.Tokenizers.PreTokenisers;
using Federated.Client.Tokenizers.Python;

namespace Federated.Client.Tokenizers.Files;

/// <summary>The pair of files <c>vocab.json</c> and <c>merges.txt</c>; how text is cut follows from <c>tokenizer_class</c>.</summary>
internal static class BpeFiles
{
    public const string VocabularyName = "vocab.json";
    public const string MergesName = "merges.txt";

    private const string VersionLine = "#version: 0.2";
    private const string EndOfText = "<|endoftext|>";

    private static readonly Dictionary<string, string> Gpt2Roles = new() { ["bos_token"] = EndOfText, ["eos_token"] = EndOfText, ["unk_token"] = EndOfText };

    private static readonly Dictionary<string, string> Qwen2Roles = new() { ["eos_token"] = EndOfText, ["unk_token"] = EndOfText, ["pad_token"] = EndOfText };

    private static readonly Dictionary<string, string> RobertaRoles = new()
    {
        ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["sep_token"] = "</s>", ["pad_token"] = "<pad>", ["cls_token"] = "<s>", ["mask_token"] = "<mask>",
    };

    public static TokenizerParts Read(string folder, TokenizerConfig config)
    {
        string path = Path.Combine(folder, VocabularyName);
        Vocabulary vocabulary = BoundedFile.ReadJson(BoundedFile.Read(path), path, BpeJson.ReadVocabulary);
        string family = (config.ClassName ?? "GPT2Tokenizer").Replace("Fast", "", StringComparison.Ordinal);
        PythonTokens tokens = family switch
        {
            "GPT2Tokenizer" or "CodeGenTokenizer" => new(config, vocabulary, Gpt2Roles),
            "Qwen2Tokenizer" => new(config, vocabulary, Qwen2Roles),
            "RobertaTokenizer" => new(config, vocabulary, RobertaRoles, stripsBeforeMask: true),
            _ => throw new TokenizerFormatException(folder, "tokenizer_config.json", $"tokenizer_class '{Vocabulary.Shown(family)}' cannot be read from {VocabularyName} and {MergesName}; wanted GPT2Tokenizer, CodeGenTokenizer, Qwen2Tokenizer or RobertaTokenizer, or a tokenizer.json beside them."),
        };
        BpeOptions options = new(tokens.Role("unk_token") is { } unknown && vocabulary.Id(unknown) is not null ? unknown : null);
        ByteLevelDecoder bytes = new();
        TokenizerParts parts = new()
        {
            Python = new(),
            PreTokenisers = [new ByteLevelPreTokeniser()],
            Model = new BpeModel(vocabulary, ReadMerges(Path.Combine(folder, MergesName), vocabulary), options, path),
            AddedTokens = tokens.Added,
            Decoders = [new PythonDecoder(tokens.Own, spaced: family != "Qwen2Tokenizer", Together)],
            Special = tokens.Special,
            Source = folder,
        };
        return family switch
        {
            "Qwen2Tokenizer" => Qwen2(parts),
            "RobertaTokenizer" => Roberta(parts, tokens, config),
            _ => Gpt2(parts, tokens, config),
        };

        string Together(List<string> stretch)
        {
            bytes.Decode(stretch);
            return stretch[0];
        }
    }

    public static void Write(string folder, BpeModel model)
    {
        using (FileStream file = File.Create(Path.Combine(folder, VocabularyName)))
        {
            using System.Text.Json.Utf8JsonWriter json = new(file, TokenizerJson.Indented);
            model.Vocabulary.Write(json);
        }

        using StreamWriter merges = new(Path.Combine(folder, MergesName), append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        merges.WriteLine(VersionLine);
        foreach (BpeMerge merge in model.Merges)
            merges.WriteLine($"{model.Vocabulary.Token(merge.Left)} {model.Vocabulary.Token(merge.Right)}");
    }

    private static TokenizerParts Gpt2(TokenizerParts parts, PythonTokens tokens, TokenizerConfig config)
    {
        if (config.Flag("add_prefix_space") == true)
            parts = parts with { Python = new() { Preparation = [new PrefixSpace(Always: true)] } };

        if (config.Flag("add_bos_token") != true)
            return parts;

        NamedToken bos = tokens.Named("bos_token", parts.Source);
        TemplatePart first = new([], 0, 0), second = new([], 1, 1);
        TokenTemplate template = new([new([bos.Id], 0, 0), first], [new([bos.Id], 0, 0), first, new([bos.Id], 0, 1), second]);
        return parts with { PostProcessors = [TemplatePostProcessor.Of(template, bos)] };
    }

    private static TokenizerParts Qwen2(TokenizerParts parts) => parts with
    {
        Python = new() { Preparation = [new UnicodeNormaliser(UnicodeForm.NFC)] },
        PreTokenisers =
        [
            new SplitPreTokeniser(TiktokenWords.Qwen2Pattern, isRegex: true, SplitBehavior.Isolated, invert: false), new ByteLevelPreTokeniser(UseRegex: false),
        ],
    };

    private static TokenizerParts Roberta(TokenizerParts parts, PythonTokens tokens, TokenizerConfig config) => parts with
    {
        Python = new() { Preparation = config.Flag("add_prefix_space") == true ? [new PrefixSpace(Always: false)] : [] },
        PostProcessors = [new RobertaPostProcessor(tokens.Named("sep_token", parts.Source), tokens.Named("cls_token", parts.Source))],
    };

    private static List<BpeMerge> ReadMerges(string path, Vocabulary vocabulary)
    {
        List<BpeMerge> merges = [];
        int number = 0;
        foreach (string line in BoundedFile.Text(BoundedFile.Read(path), path).Split('\n').Select(line => line.TrimEnd('\r')))
        {
            string where = $"line {++number}";
            if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal)))
                continue;

            if (line.Split(' ') is not [var left, var right])
                throw new TokenizerFormatException(path, where, "got a line without exactly one space; wanted two tokens with a space between.");

            if (merges.Count == TokenizerLimits.MaxMerges)
                throw new TokenizerFormatException(path, where, $"got more than {TokenizerLimits.MaxMerges} merges; wanted fewer.");

            merges.Add(BpeModel.Merge(vocabulary, left, right, path, where));
        }

        return merges;
    }
}
