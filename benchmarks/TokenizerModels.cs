using System.Text;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.Decoders;
using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.Patterns;
using Federated.Client.Tokenizers.PreTokenisers;
using Federated.Client.Tokenizers.Unigram;
using Federated.Client.Tokenizers.WordPiece;

namespace Federated.Benchmarks;

/// <summary>Tokenizers of each family with the words of one byte-level BPE tokenizer: no other trained ones are to be had, and so all see the same tokens.</summary>
internal static class TokenizerModels
{
    private const char Mark = MetaspacePreTokeniser.SpaceMark;

    /// <summary>The families by name, each as a tokenizer that <c>tokenizer.json</c> can hold.</summary>
    public static IReadOnlyList<(string Name, Tokenizer Tokenizer)> Make(Tokenizer source, string sample)
    {
        BpeModel model = (BpeModel)source.Parts.Model;
        string[] tokens = [.. Enumerable.Range(0, model.Vocabulary.Size).Select(id => model.Vocabulary.Token(id)).OfType<string>()];
        return
        [
            ("byte-level BPE", source),
            ("WordPiece", WordPiece([.. tokens.Select(TextOf).OfType<string>()])),
            ("Unigram", Unigram([.. tokens.Select(TextOf).OfType<string>()], Frequencies(source, sample))),
            ("SentencePiece BPE", CharacterBpe(model)),
        ];
    }

    /// <summary>A token's text with <see cref="Mark"/> for spaces; null for one that is no whole text.</summary>
    private static string? TextOf(string token)
    {
        List<byte> bytes = [];
        foreach (char character in token)
        {
            if (!ByteAlphabet.TryByteOf(character, out byte value))
                return null;

            bytes.Add(value);
        }

        string text = Encoding.UTF8.GetString([.. bytes]);
        return text.Contains('\uFFFD') || text.AsSpan().ContainsAnyInRange('\0', '\x1F') ? null : text.Replace(' ', Mark);
    }

    private static Dictionary<string, int> Frequencies(Tokenizer source, string sample)
    {
        List<int> ids = [];
        source.Encode(sample, ids);
        return ids.CountBy(id => id).Where(entry => TextOf(source.Token(entry.Key)!) is not null).ToDictionary(entry => TextOf(source.Token(entry.Key)!)!, entry => entry.Value);
    }

    private static Tokenizer WordPiece(string[] texts)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal) { ["[UNK]"] = 0 };
        foreach (string text in texts.Select(text => text.ToLowerInvariant()))
        {
            ids.TryAdd(text.TrimStart(Mark), ids.Count);
            if (text[0] != Mark)
                ids.TryAdd("##" + text, ids.Count);
        }

        ids.Remove("");
        return new(new()
        {
            Normalisers = [new BertNormaliser()],
            PreTokenisers = [new BertPreTokeniser()],
            Model = new WordPieceModel(new(ids.Keys.Select((token, id) => KeyValuePair.Create(token, id)), "benchmark"), new(), "benchmark"),
            Decoders = [new WordPieceDecoder()],
        });
    }

    private static Tokenizer Unigram(string[] texts, Dictionary<string, int> frequencies)
    {
        double total = frequencies.Values.Sum();
        IEnumerable<ScoredToken> scored = texts.Append(Mark.ToString()).Distinct().Select(text => new ScoredToken(text, Math.Log((frequencies.GetValueOrDefault(text) + 0.1) / total)));
        MetaspacePreTokeniser metaspace = new();
        return new(new()
        {
            Normalisers = [new UnicodeNormaliser(UnicodeForm.NFKC)],
            PreTokenisers = [metaspace],
            Model = new UnigramModel([new("<unk>", 0), .. scored], unknown: 0, byteFallback: false, "benchmark"),
            Decoders = [new MetaspaceDecoder()],
        });
    }

    private static Tokenizer CharacterBpe(BpeModel model)
    {
        List<string> tokens = ["<unk>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), Mark.ToString()];
        HashSet<string> known = [.. tokens];
        List<(string Left, string Right)> merges = [];
        tokens.AddRange(Enumerable.Range(' ' + 1, '~' - ' ').Select(code => ((char)code).ToString()).Where(known.Add));
        foreach (BpeMerge merge in model.Merges)
        {
            (string? left, string? right) = (TextOf(model.Vocabulary.Token(merge.Left)!), TextOf(model.Vocabulary.Token(merge.Right)!));
            if (left is null || right is null || !known.Contains(left) || !known.Contains(right))
                continue;

            merges.Add((left, right));
            if (known.Add(left + right))
                tokens.Add(left + right);
        }

        Vocabulary vocabulary = new(tokens.Select((token, id) => KeyValuePair.Create(token, id)), "benchmark");
        BpeOptions options = new("<unk>", FuseUnknown: true, ByteFallback: true);
        return new(new()
        {
            Normalisers = [new PrependNormaliser(Mark.ToString()), new ReplaceStage(" ", isRegex: false, Mark.ToString())],
            Model = new BpeModel(vocabulary, [.. merges.Select(merge => BpeModel.Merge(vocabulary, merge.Left, merge.Right, "benchmark", "merge"))], options, "benchmark"),
            Decoders = [new ReplaceStage(Mark.ToString(), isRegex: false, " "), new ByteFallbackDecoder(), new FuseDecoder(), new StripDecoder(" ", 1, 0)],
        });
    }
}
