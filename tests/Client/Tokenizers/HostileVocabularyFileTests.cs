using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using static Federated.Client.Tests.Tokenizers.SentencePieceBytes;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>Vocabulary files from elsewhere may be wrong or ill-meant: the error names file and place, and memory stays bounded.</summary>
public sealed class HostileVocabularyFileTests
{
    private static readonly (string, float, int)[] Start = [("<unk>", 0, Unknown), ("<s>", 0, Control), ("</s>", 0, Control)];

    public static TheoryData<string, byte[], string> Models => new()
    {
        { "no model at all", "{\"model\":1}"u8.ToArray(), "piece 0: this is not a SentencePiece model" },
        { "cut off", Model(2, false, null, [.. Start, ("abc", -1, Normal)])[..20], "this is not a SentencePiece model" },
        { "length beyond the end", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x41], "piece 0: this is not a SentencePiece model" },
        { "groups in groups", [.. Enumerable.Repeat((byte)0x33, 100_000)], "piece 0: this is not a SentencePiece model" },
        { "empty", [], "pieces: 0 of them are of type UNKNOWN; wanted one" },
        { "two unknown pieces", Model(1, false, null, [.. Start, ("<unk2>", 0, Unknown)]), "2 of them are of type UNKNOWN" },
        { "a piece twice", Model(2, false, null, [.. Start, ("a", -1, Normal), ("a", -2, Normal)]), "token 'a': it has two ids, 3 and 4" },
        { "an empty piece", Model(2, false, null, [.. Start, ("", -1, Normal)]), "piece 3: it has 0 characters" },
        { "a long piece", Model(2, false, null, [.. Start, (new string('a', 5000), -1, Normal)]), "piece 3: it has 5000 characters, wanted 1 to 4096" },
        { "a score that is no number", Model(1, false, null, [.. Start, ("a", float.NaN, Normal)]), "piece 3: got the score NaN" },
        { "a type of another version", Model(1, false, null, [.. Start, ("a", 0, 9)]), "piece 3: got the type 9; wanted 1 to 6" },
        { "words as model type", Model(3, false, null, Start), "trainer_spec.model_type: got 3; wanted 1 (unigram) or 2 (BPE)" },
        { "bytes without fallback", Model(2, false, null, [.. Start, ("<0x41>", 0, ByteType)]), "piece 3: '<0x41>' is of type BYTE" },
        { "fallback without bytes", Model(2, true, null, Start), "byte_fallback but not all 256 pieces" },
        { "a byte that is none", Model(2, true, null, [.. Start, ("<0xZZ>", 0, ByteType)]), "piece 3: '<0xZZ>' is of type BYTE" },
        { "a table of replacements that is cut off", Model(2, false, [255, 255, 0, 0, 1], Start), "precompiled_charsmap: got a table of 5 bytes with a tree of 65535" },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Read_DamagedSentencePieceModel_NamesFileAndPlace(string what, byte[] model, string problem)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(Path.Combine(folder.Path, "tokenizer.model"), model);
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Read(folder.Path));
        Assert.True(error.Message.Contains("tokenizer.model: ", StringComparison.Ordinal) && error.Message.Contains(problem, StringComparison.Ordinal), $"{what}: {error.Message}");
    }

    [Theory]
    [InlineData("BertTokenizer", "[UNK]\n[SEP]\n", null)]
    [InlineData("T5Tokenizer", "[UNK]\n", "tokenizer_class 'T5Tokenizer' cannot be read from vocab.txt; wanted BertTokenizer or DistilBertTokenizer")]
    [InlineData("BertTokenizer", "[PAD]\n[SEP]\n", "'[UNK]' is not in the vocabulary")]
    public void Read_WordPieceVocabulary_SaysWhatItLacks(string family, string vocabulary, string? problem)
    {
        using TemporaryFolder folder = new();
        folder.Write("vocab.txt", vocabulary);
        folder.Write("tokenizer_config.json", $$"""{"tokenizer_class":"{{family}}"}""");
        if (problem is null)
            Assert.Equal(5, TokenizerFolder.Read(folder.Path).VocabularySize);
        else
            Assert.Contains(problem, Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Read(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WordPieceVocabularyInAnotherEncoding_NamesTheByte()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(Path.Combine(folder.Path, "vocab.txt"), [.. "[UNK]\ncaf"u8, 0xE9, (byte)'\n']);
        Assert.Equal("byte 9", Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Read(folder.Path)).Where);
    }

    [Fact]
    public void Read_MoreLinesThanAVocabularyMayHave_NamesTheLine()
    {
        using TemporaryFolder folder = new();
        folder.Write("vocab.txt", new string('\n', TokenizerLimits.MaxVocabulary + 1));
        Assert.Equal($"line {TokenizerLimits.MaxVocabulary + 1}", Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Read(folder.Path)).Where);
    }

    [Theory]
    [InlineData("""{"add_bos_token":"yes"}""", "$.add_bos_token: got a string; wanted true or false")]
    [InlineData("""{"legacy":1}""", "$.legacy: got a number; wanted true or false")]
    [InlineData("""{"bos_token":null,"add_bos_token":true}""", "bos_token: got null, but the tokenizer's class puts this token around texts")]
    [InlineData("""{"added_tokens_decoder":{"-1":{"content":"x"}}}""", "the name '-1'; wanted an id from 0 to")]
    [InlineData("""{"added_tokens_decoder":{"0":{"content":"x"}}}""", "its id 0 is that of '<unk>' in the model's vocabulary")]
    [InlineData("""{"tokenizer_class":"XLNetTokenizer"}""", "'XLNetTokenizer' cannot be read from tokenizer.model; wanted LlamaTokenizer")]
    public void Read_ConfigurationThatDoesNotFit_NamesTheSetting(string config, string problem)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(Path.Combine(folder.Path, "tokenizer.model"), Model(2, false, null, [.. Start, ("a", -1, Normal)]));
        folder.Write("tokenizer_config.json", config);
        Assert.Contains(problem, Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Read(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_TokenizerOfVocabularyFiles_IsRefusedAndLeavesNoFile()
    {
        using TemporaryFolder folder = new(), target = new();
        File.WriteAllBytes(Path.Combine(folder.Path, "tokenizer.model"), Model(2, false, null, Start));
        Assert.Contains("copy its files instead", Assert.Throws<NotSupportedException>(() => TokenizerFolder.Write(target.Path, TokenizerFolder.Read(folder.Path))).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(target.Path));
    }
}
