using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Tokenizers.SentencePiece;
using Federated.Client.Tokenizers.Unigram;
using Federated.Client.Tokenizers.WordPiece;
using Federated.Tests.Support;
using static Federated.Client.Tests.Tokenizers.SentencePieceBytes;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>What has to hold for every tokenizer and any text, and models against slow yardsticks.</summary>
public sealed class TokenizerPropertyTests
{
    /// <summary>UTF-16 of all sorts: words, marks, emoji, what vocabularies use as marks, tokens written out, and halves of surrogate pairs.</summary>
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Elements(
            " ", "  ", "\n", "\r\n", "\t", "\0", "\u0007", "\u00A0", "\u3000", "\u2028", "\u0085", "a", "the", "The", "hello", "ß", "é", "e\u0301", "İ", "Σ", "한", "ᄒ", "ᅡ", "你好", "ก็", "1", "½", "𝟙",
            "😀", "👨‍👩‍👧", "\u0323", "Ġ", "▁", "##", "\uFEFF", "\uFFFD", "!", "...", "\uD800", "\uDC00", "<s>", "</s>", "<mask>", "[CLS]", "[MASK]", "<|endoftext|>", "<|im_end|>", "<0x41>", "<unk>")
            .ListOf().Select(string.Concat),
        ArbMap.Default.GeneratorFor<char[]>().Select(units => new string(units)));

    public static TheoryData<string, string> Forms
    {
        get
        {
            TheoryData<string, string> forms = [];
            foreach (string folder in Directory.EnumerateDirectories(Repository.Fixtures).Where(folder => File.Exists(Path.Combine(folder, "cases.json"))))
            {
                foreach (string form in new TokenizerFixture(folder).Forms)
                    forms.Add(Path.GetFileName(folder), form);
            }

            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Encode_AnyText_GivesIdsOfTheVocabularyThatDecode(string folder, string form)
    {
        Tokenizer tokenizer = new TokenizerFixture(folder).Load(form);
        Prop.ForAll(Texts.ToArbitrary(), text =>
        {
            int[] ids = Ids(tokenizer, text), plain = Ids(tokenizer, text, special: false);
            Assert.All(ids, id => Assert.NotNull(tokenizer.Token(id)));
            Assert.Equal(ids, Ids(tokenizer, new StringBuilder(text).ToString()));
            Assert.Equal(ids.Length - tokenizer.Template.SpecialCount(pair: false), plain.Length);
            Assert.NotNull(tokenizer.Decode(ids));
            TokenRow row = new BatchEncoder(tokenizer, new()).EncodeRow(text);
            Assert.Equal(ids, row.Ids);
            Assert.Equal(plain, row.Ids.Where((_, place) => row.SpecialTokensMask[place] == 0));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Decode_AnyIds_GivesText(string folder, string form)
    {
        Tokenizer tokenizer = new TokenizerFixture(folder).Load(form);
        Prop.ForAll(Gen.Choose(-2, tokenizer.VocabularySize + 1).ListOf().ToArbitrary(), ids =>
            tokenizer.Decode([.. ids]) is not null && tokenizer.Decode([.. ids], skipSpecialTokens: true) is not null).QuickCheckThrowOnFailure();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Encode_HalvesOfSurrogatePairs_CountAsReplacementCharacters(string folder, string form)
    {
        Tokenizer tokenizer = new TokenizerFixture(folder).Load(form);
        Prop.ForAll(Texts.ToArbitrary(), text =>
            Ids(tokenizer, text).SequenceEqual(Ids(tokenizer, string.Concat(text.EnumerateRunes())))).QuickCheckThrowOnFailure();
    }

    /// <summary>Nothing that a word model looks at crosses white space, so texts with a space between are encoded one by one.</summary>
    [Fact]
    public void Encode_WordsWithASpaceBetween_AreTheWordsOneByOne()
    {
        Tokenizer tokenizer = WordModel();
        Prop.ForAll(Texts.ToArbitrary(), Texts.ToArbitrary(), (first, second) =>
            Ids(tokenizer, first + " " + second).SequenceEqual([.. Ids(tokenizer, first), .. Ids(tokenizer, second)])).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void WordPiece_AnyWord_IsSpelledWithTheLongestTokenEachTime()
    {
        string[] tokens = ["[UNK]", "a", "ab", "abc", "b", "##a", "##ab", "##b", "##bca", "##c", "é", "##é", "😀"];
        WordPieceModel model = new(new(tokens.Select((token, id) => KeyValuePair.Create(token, id)), "t"), new(MaxCharacters: 9), "t");
        IPieceEncoder encoder = model.CreateEncoder(mapsBytes: false);
        Prop.ForAll(Gen.Elements("a", "b", "c", "é", "😀").NonEmptyListOf().Select(string.Concat).ToArbitrary(), word =>
            Pieces(encoder, model, word).SequenceEqual(Slowly(word, tokens))).QuickCheckThrowOnFailure();

        static string[] Slowly(string word, string[] tokens)
        {
            List<string> found = [];
            for (int start = 0; start < word.Length && word.EnumerateRunes().Count() <= 9;)
            {
                string? longest = Enumerable.Range(1, word.Length - start).Reverse().Select(length => string.Concat(start > 0 ? "##" : "", word.AsSpan(start, length))).FirstOrDefault(tokens.Contains);
                if (longest is null)
                    return ["[UNK]"];

                found.Add(longest);
                start += longest.Length - (start > 0 ? 2 : 0);
            }

            return found.Count > 0 ? [.. found] : ["[UNK]"];
        }
    }

    [Fact]
    public void Unigram_AnyPiece_IsSpelledInTheMostProbableWay()
    {
        (string Token, double Score)[] tokens = [("<unk>", 0), ("a", -3), ("b", -2.5), ("aa", -4), ("ab", -5.75), ("aba", -6), ("bb", -6), ("baab", -9.5)];
        UnigramModel model = new([.. tokens.Select(token => new ScoredToken(token.Token, token.Score))], unknown: 0, byteFallback: false, "t");
        IPieceEncoder encoder = model.CreateEncoder(mapsBytes: false);
        Prop.ForAll(Gen.Elements("a", "b", "ab", "aa").NonEmptyListOf().Resize(14).Select(string.Concat).ToArbitrary(), word =>
            Math.Abs(Pieces(encoder, model, word).Sum(piece => tokens.First(token => token.Token == piece).Score) - Best(word)) < 1e-9).QuickCheckThrowOnFailure();

        double Best(string rest) => rest.Length == 0
            ? 0
            : tokens.Skip(1).Where(token => rest.StartsWith(token.Token, StringComparison.Ordinal)).Max(token => token.Score + Best(rest[token.Token.Length..]));
    }

    [Fact]
    public void SentencePieceBpe_AnyPiece_MergesTheBestPairEachTime()
    {
        (string Text, float Score, int Type)[] pieces =
            [("<unk>", 0, Unknown), ("▁", -9, Normal), ("a", -8, Normal), ("b", -8, Normal), ("ab", -1, Normal), ("ba", -1, Normal), ("▁a", -2, Normal), ("aba", -3, Normal), ("▁▁", -4, Normal), ("abab", -3, Normal), ("b▁", -2, Normal)];
        SentencePieceModel model = new(SentencePieceFile.Read(Model(2, false, null, pieces), "t"), "t", shield: null);
        IPieceEncoder encoder = model.CreateEncoder(mapsBytes: false);
        Prop.ForAll(Gen.Elements("a", "b", " ", "ab").NonEmptyListOf().Select(string.Concat).ToArbitrary(), text =>
            Pieces(encoder, model, text).SequenceEqual(Slowly("▁" + text.Replace(' ', '▁'), pieces))).QuickCheckThrowOnFailure();

        static List<string> Slowly(string text, (string Text, float Score, int Type)[] pieces)
        {
            List<string> symbols = [.. text.Select(unit => unit.ToString())];
            while (true)
            {
                int best = Enumerable.Range(0, symbols.Count - 1).OrderByDescending(Score).FirstOrDefault(-1);
                if (best < 0 || float.IsNegativeInfinity(Score(best)))
                    return symbols;

                symbols[best] += symbols[best + 1];
                symbols.RemoveAt(best + 1);
            }

            float Score(int at) => pieces.Where(piece => piece.Text == symbols[at] + symbols[at + 1]).Select(piece => piece.Score).FirstOrDefault(float.NegativeInfinity);
        }
    }

    private static Tokenizer WordModel() => TokenizerJson.Read(
        """
        {"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
        "model":{"type":"WordPiece","vocab":{"[UNK]":0,"the":1,"hello":2,"a":3,"##a":4,"e":5,"!":6,".":7,"1":8,"##the":9,"##e":10}}}
        """u8.ToArray(), "t.json");

    private static string[] Pieces(IPieceEncoder encoder, ITokenModel model, string text)
    {
        List<int> ids = [];
        encoder.Encode(text, ids);
        return [.. ids.Select(id => model.Vocabulary.Token(id)!)];
    }

    private static int[] Ids(Tokenizer tokenizer, string text, bool special = true)
    {
        List<int> ids = [];
        tokenizer.Encode(text, ids, special);
        return [.. ids];
    }
}
