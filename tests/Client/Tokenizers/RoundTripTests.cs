using FsCheck;
using FsCheck.Fluent;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.Files;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>What has to hold for any text.</summary>
public sealed class RoundTripTests
{
    /// <summary>Well-formed text with what is hard: white space of all kinds, contractions, digits, marks, emoji, byte-alphabet look-alikes, special tokens.</summary>
    private static readonly Gen<string> Texts = Gen.Elements(
        " ", "  ", "\n", "\r\n", "\t", "\u00A0", "\u3000", "\u2028", "'", "'s", "'LL", "'re", "a", "the", "The", "ß", "é", "e\u0301", "İ", "ſ", "한", "ᄒ", "ᅡ",
        "你好", "ก็", "1", "23", "½", "Ⅷ", "𝟙", "𝓗", "😀", "👨‍👩‍👧", "\u0301\u0323", "Ġ", "Ċ", "\0", "\uFEFF", "\uFFFD", "!", "...", "_", "-", "<|endoftext|>", "<|im_end|>", "<mask>", "</s>")
        .ListOf().Select(string.Concat);

    private static readonly Gen<string> Utf16 = Gen.OneOf(
        Texts,
        ArbMap.Default.GeneratorFor<UnicodeString>().Select(text => text.ToString() ?? ""));

    [Theory]
    [InlineData("tok-gpt2", "tokenizer.json")]
    [InlineData("tok-gpt2", "vocab")]
    public void Decode_EncodedText_IsTheText(string folder, string form)
    {
        Tokenizer tokenizer = new TokenizerFixture(folder).Load(form);
        Prop.ForAll(Texts.ToArbitrary(), text => tokenizer.Decode(Ids(tokenizer, text)) == text).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Decode_TextEncodedByATrainedTokenizer_IsTheText()
    {
        Tokenizer tokenizer = BpeTrainer.Train(["the quick brown fox, the lazy dog's 123 days"], new() { VocabularySize = 290 });
        Prop.ForAll(Texts.ToArbitrary(), text => tokenizer.Decode(Ids(tokenizer, text)) == text).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Encode_LongPieces_EqualsTheSlowReference()
    {
        // Pieces beyond the limits of cache and scan take other paths than short ones.
        Tokenizer tokenizer = new TokenizerFixture("tok-gpt2").Load("tokenizer.json");
        BpeModel model = (BpeModel)tokenizer.Parts.Model;
        Dictionary<(string, string), int> ranks = model.Merges.Index().ToDictionary(
            merge => (model.Vocabulary.Token(merge.Item.Left)!, model.Vocabulary.Token(merge.Item.Right)!), merge => merge.Index);
        Gen<string> words = Gen.Elements("a", "e", "in", "the", "er", "on", "é", "ing").NonEmptyListOf().Resize(70).Select(string.Concat);
        Prop.ForAll(words.ToArbitrary(), word =>
        {
            IEnumerable<string> expected = ReferenceBpe.Encode(word, ranks);
            return expected.SequenceEqual(Ids(tokenizer, word).Select(id => tokenizer.Token(id)!));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Encode_FromManyThreads_GivesTheSameIds()
    {
        TokenizerFixture fixture = new("tok-gpt2");
        Tokenizer tokenizer = fixture.Load("tokenizer.json");
        string[] texts = [.. fixture.Cases.Select(golden => golden.GetProperty("text").GetString()!)];
        int[][] expected = [.. texts.Select(text => Ids(tokenizer, text))];
        Parallel.For(0, 400, i => Assert.Equal(expected[i % texts.Length], Ids(tokenizer, texts[i % texts.Length])));
    }

    [Fact]
    public void Encode_MoreWordsThanTheCacheHolds_GivesTheSameIds()
    {
        Tokenizer tokenizer = new TokenizerFixture("tok-gpt2").Load("tokenizer.json");
        string words = string.Concat(Enumerable.Range(0, 200_000).Select(i => " " + Convert.ToString(i, 16)));
        Assert.Equal(Ids(tokenizer, words), Ids(tokenizer, words));
        Assert.Equal(words, tokenizer.Decode(Ids(tokenizer, words)));
    }

    [Fact]
    public void Encode_OneLetterAMillionTimes_Ends()
    {
        // Looking at all pairs after each merge would take 10^12 steps.
        Tokenizer tokenizer = BpeTrainer.Train(["aaaaaaaa aaaaaaaa"], new() { VocabularySize = 259 });
        Assert.Equal(125_000, Ids(tokenizer, new string('a', 1_000_000)).Length);
    }

    [Fact]
    public void Encode_LoneSurrogates_CountAsReplacementCharacters()
    {
        Tokenizer tokenizer = new TokenizerFixture("tok-qwen2").Load("tokenizer.json");
        Assert.Equal(Ids(tokenizer, "a\uFFFDb \uFFFD"), Ids(tokenizer, "a\uD800b \uDC00"));
        Prop.ForAll(Utf16.ToArbitrary(), text => tokenizer.Decode(Ids(tokenizer, text)) is not null).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Write_TrainedTokenizer_ReadsBackInBothForms()
    {
        Tokenizer tokenizer = BpeTrainer.Train(
            ["the quick brown fox", "the lazy dog"], new() { VocabularySize = 270, SpecialTokens = ["<|endoftext|>", "<pad>"], Roles = new(Bos: "<|endoftext|>", Eos: "<|endoftext|>", Pad: "<pad>") });
        using TemporaryFolder folder = new();
        TokenizerFolder.Write(folder.Path, tokenizer, vocabularyFiles: true);
        foreach (bool json in (bool[])[true, false])
        {
            Tokenizer again = TokenizerFolder.Read(folder.Path);
            Assert.Equal(tokenizer.Special, again.Special);
            Assert.Equal(Ids(tokenizer, "the <pad> fox<|endoftext|>"), Ids(again, "the <pad> fox<|endoftext|>"));
            File.Delete(Path.Combine(folder.Path, "tokenizer.json"));
            folder.Write("tokenizer_config.json", """{"tokenizer_class":"GPT2Tokenizer","unk_token":null}""");
        }
    }

    private static int[] Ids(Tokenizer tokenizer, string text)
    {
        List<int> ids = [];
        tokenizer.Encode(text, ids);
        return [.. ids];
    }
}
