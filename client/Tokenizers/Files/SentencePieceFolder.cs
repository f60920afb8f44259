using System.Text;
using Federated.Client.Tokenizers.Python;
using Federated.Client.Tokenizers.PreTokenisers;
using Federated.Client.Tokenizers.SentencePiece;
using Federated.Client.Tokenizers.Patterns;

namespace Federated.Client.Tokenizers.Files;

/// <summary><c>tokenizer.model</c>, a SentencePiece model, as <c>LlamaTokenizer</c> reads it: with <c>legacy</c>, which is what a file that does not say means, and without.</summary>
internal static class SentencePieceFolder
{
    private static readonly string Mark = MetaspacePreTokeniser.SpaceMark.ToString();

    private static readonly Dictionary<string, string> Roles = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>" };

    public static TokenizerParts Read(string folder, TokenizerConfig config)
    {
        string family = (config.ClassName ?? "LlamaTokenizer").Replace("Fast", "", StringComparison.Ordinal);
        if (family != "LlamaTokenizer")
            throw new TokenizerFormatException(folder, "tokenizer_config.json", $"tokenizer_class '{Vocabulary.Shown(family)}' cannot be read from {SentencePieceFile.Name}; wanted LlamaTokenizer, or a tokenizer.json beside it.");

        string path = Path.Combine(folder, SentencePieceFile.Name);
        SentencePieceFile file = SentencePieceFile.Read(BoundedFile.ReadBinary(path), path);
        bool legacy = config.Flag("legacy") ?? true, prefixSpace = config.Flag("add_prefix_space") ?? true;
        if (!legacy)
            file.NoDummyPrefix();

        SentencePieceModel model = new(file, path, shield: legacy ? null : config.Role("unk_token", Roles["unk_token"]));
        PythonTokens tokens = new(config, model.Vocabulary, Roles);
        LlamaText text = new(model.Decoder, [.. tokens.AllSpecial], legacy, prefixSpace);
        return new()
        {
            Python = legacy ? new() : new() { Preparation = Preparation(prefixSpace), LonePrefix = Mark },
            Model = model,
            AddedTokens = tokens.Added,
            PostProcessors = Around(tokens, config.Flag("add_bos_token") ?? true, config.Flag("add_eos_token") ?? false, folder),
            Decoders = [new PythonDecoder(tokens.Own, spaced: true, text.Together)],
            Special = tokens.Special,
            Source = folder,
        };
    }

    /// <summary>Marks become spaces, and one mark is put in front of any text that is not empty.</summary>
    private static INormaliser[] Preparation(bool prefixSpace)
    {
        ReplaceStage spaces = new(Mark, isRegex: false, " ");
        return prefixSpace ? [spaces, new Normalisers.PrependNormaliser(Mark)] : [spaces];
    }

    private static IPostProcessor[] Around(PythonTokens tokens, bool bos, bool eos, string folder)
    {
        NamedToken[] before = bos ? [tokens.Named("bos_token", folder)] : [], after = eos ? [tokens.Named("eos_token", folder)] : [];
        TemplatePart[] one = [.. Part(before, 0), new([], 0, 0), .. Part(after, 0)];
        return before.Length + after.Length == 0
            ? []
            : [TemplatePostProcessor.Of(new(one, [.. one, .. Part(before, 1), new([], 1, 1), .. Part(after, 1)]), [.. before, .. after])];

        static IEnumerable<TemplatePart> Part(NamedToken[] named, int type) => named.Select(token => new TemplatePart([token.Id], 0, type));
    }

    /// <summary><c>LlamaTokenizer.convert_tokens_to_string</c>: special tokens stand for themselves, the stretches between them are decoded one by one.</summary>
    private sealed class LlamaText(SentencePieceText pieces, HashSet<string> special, bool legacy, bool prefixSpace)
    {
        public string Together(List<string> tokens)
        {
            if (prefixSpace && tokens[0].StartsWith(MetaspacePreTokeniser.SpaceMark))
                tokens[0] = tokens[0][1..];

            StringBuilder text = new();
            List<string> stretch = [];
            bool afterSpecial = false;
            for (int i = 0; i < tokens.Count; i++)
            {
                if (special.Contains(tokens[i]))
                {
                    if (legacy && !afterSpecial && i > 0)
                        text.Append(' ');

                    text.Append(pieces.Decode(stretch)).Append(tokens[i]);
                    stretch.Clear();
                    afterSpecial = true;
                    continue;
                }

                if (afterSpecial && i == 1 && prefixSpace && !tokens[i].StartsWith(MetaspacePreTokeniser.SpaceMark))
                    text.Append(' ');

                stretch.Add(tokens[i]);
                afterSpecial = false;
            }

            return text.Append(pieces.Decode(stretch)).ToString();
        }
    }
}
