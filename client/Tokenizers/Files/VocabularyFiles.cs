using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Files;

/// <summary>The older pair of files, <c>vocab.json</c> and <c>merges.txt</c>; how text is cut follows from <c>tokenizer_class</c>.</summary>
internal static class VocabularyFiles
{
    public const string VocabularyName = "vocab.json";
    public const string MergesName = "merges.txt";

    private const string VersionLine = "#version: 0.2";

    public static Tokenizer Read(string folder, TokenizerConfig config)
    {
        string path = Path.Combine(folder, VocabularyName);
        Vocabulary vocabulary = BoundedFile.ReadJson(BoundedFile.Read(path), path, root => new Vocabulary(
            root.Members(TokenizerLimits.MaxVocabulary).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Integer(TokenizerLimits.MaxVocabulary))), path));
        TokenizerParts parts = new()
        {
            Model = new BpeModel(vocabulary, ReadMerges(Path.Combine(folder, MergesName), vocabulary), new BpeOptions(), path),
            AddedTokens = config.AddedTo(vocabulary, []),
            PreTokenisers = [new ByteLevelPreTokeniser(config.AddPrefixSpace)],
            PostProcessors = [new ByteLevelPostProcessor()],
            Decoders = [new ByteLevelDecoder()],
            Special = config.Special,
            Source = folder,
        };
        return new Tokenizer(OfFamily(parts, config, folder));
    }

    public static void Write(string folder, BpeModel model)
    {
        using (FileStream file = File.Create(Path.Combine(folder, VocabularyName)))
        {
            using Utf8JsonWriter json = new(file, TokenizerJson.Indented);
            model.Vocabulary.Write(json);
        }

        using StreamWriter merges = new(Path.Combine(folder, MergesName), append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        merges.WriteLine(VersionLine);
        foreach (BpeMerge merge in model.Merges)
            merges.WriteLine($"{model.Vocabulary.Token(merge.Left)} {model.Vocabulary.Token(merge.Right)}");
    }

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

    /// <summary>Adds what the older Python classes do and their files do not say.</summary>
    private static TokenizerParts OfFamily(TokenizerParts parts, TokenizerConfig config, string folder)
    {
        string family = (config.ClassName ?? "GPT2Tokenizer").Replace("Fast", "", StringComparison.Ordinal);
        return family switch
        {
            "GPT2Tokenizer" when !config.AddBosToken => parts,
            "Qwen2Tokenizer" => parts with
            {
                Normalisers = [new NfcNormaliser()],
                PreTokenisers = [new SplitPreTokeniser(TiktokenWords.Qwen2Pattern, isRegex: true, SplitBehavior.Isolated, invert: false), new ByteLevelPreTokeniser(UseRegex: false)],
            },
            "RobertaTokenizer" => parts with
            {
                PostProcessors = [new RobertaPostProcessor(Named(config.Special.Sep ?? "</s>"), Named(config.Special.Cls ?? "<s>"), AddPrefixSpace: config.AddPrefixSpace)],
            },
            _ => throw new TokenizerFormatException(folder, "tokenizer_config.json", $"tokenizer_class '{Vocabulary.Shown(family)}'{(config.AddBosToken ? " with add_bos_token" : "")} cannot be read from {VocabularyName} and {MergesName}; wanted GPT2Tokenizer, Qwen2Tokenizer or RobertaTokenizer, or a tokenizer.json beside them."),
        };

        NamedToken Named(string token) => new(token, parts.Model.Vocabulary.Id(token)
            ?? throw new TokenizerFormatException(folder, VocabularyName, $"it lacks '{Vocabulary.Shown(token)}', which {family} puts around texts."));
    }
}
