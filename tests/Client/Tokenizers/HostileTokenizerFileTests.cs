using System.Text;
using System.Text.Json.Nodes;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>A tokenizer file from elsewhere may be wrong or ill-meant: the error names file and place, and memory stays bounded.</summary>
public sealed class HostileTokenizerFileTests
{
    /// <summary>Path into a good file, value put there, and what the error has to say.</summary>
    public static TheoryData<string, string, string> Edits => new()
    {
        { "model.merges", """["a"]""", "$.model.merges[0]: got a string without exactly one space" },
        { "model.merges", """["a  b"]""", "$.model.merges[0]" },
        { "model.merges", """[["a","b","c"]]""", "got an array of 3; wanted at most 2" },
        { "model.merges", """[["a"]]""", "$.model.merges[0]: got an array of another length" },
        { "model.merges", """[["a","nothere"]]""", "needs the token 'nothere', which is not in the vocabulary" },
        { "model.merges", """[["a","b"],["b","a"]]""", "$.model.merges[1]: the merge of 'b' and 'a' needs the token 'ba'" },
        { "model.merges", "7", "$.model.merges: got a number; wanted an array" },
        { "model.vocab.b", "0", "two tokens have it, 'a' and 'b'" },
        { "model.vocab.b", "-1", "wanted a whole number from 0 to" },
        { "model.vocab.b", "2147483647", "wanted a whole number from 0 to" },
        { "model.vocab.b", "1e99", "wanted a whole number from 0 to" },
        { "model.vocab.b", "\"1\"", "got a string; wanted a whole number" },
        { "model.vocab", "[]", "$.model.vocab: got an array; wanted an object" },
        { "model.dropout", "0.1", "$.model.dropout: got a dropout; wanted null" },
        { "model.unk_token", "\"nothere\"", "'nothere' is not in the vocabulary" },
        { "model.continuing_subword_prefix", "\"##\"", "$.model.merges[0]: 'b' follows another token but does not begin with the prefix '##'" },
        { "model.type", "\"Nonsense\"", "'Nonsense'; supported here: BPE, Unigram, WordPiece" },
        { "model", "null", "$.model: got null; wanted an object" },
        { "added_tokens", """[{"id":0,"content":"b"}]""", "added_tokens gives it the id 0, the model's vocabulary 1" },
        { "added_tokens", """[{"id":0,"content":"z"}]""", "its id 0 is that of 'a' in the model's vocabulary" },
        { "added_tokens", """[{"id":9,"content":"z"},{"id":10,"content":"z"}]""", "it is added twice, with the ids 9 and 10" },
        { "added_tokens", """[{"id":9,"content":"y"},{"id":9,"content":"z"}]""", "its id 9 is also that of 'y'" },
        { "added_tokens", """[{"id":9,"content":"\u00e9"},{"id":10,"content":"e\u0301"}]""", "normalised it is the same as id 9" },
        { "added_tokens", """[{"id":9,"content":""}]""", "it has 0 characters" },
        { "added_tokens", """[{"id":2147483647,"content":"z"}]""", "$.added_tokens[0].id" },
        { "added_tokens", """[{"id":9,"content":"\ud800"}]""", "half of a surrogate pair" },
        { "pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]}""", "ByteLevel is followed by another stage" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}""", "the pattern '(', which .NET cannot run" },
        { "pre_tokenizer", """{"type":"Split","pattern":{"Regex":"a"},"behavior":"Sideways"}""", "'Sideways'; wanted one of Removed" },
        { "post_processor", """{"type":"RobertaProcessing","sep":["</s>",70],"cls":["<s>",71]}""", "it adds id 71, which no token has" },
        { "post_processor", """{"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}}""", "a template with 0 texts; wanted A once each" },
        { "post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}}],"pair":[],"special_tokens":{}}""", "'x', which is not in special_tokens" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void Read_OneThingWrong_NamesFileAndPlace(string path, string value, string problem)
    {
        JsonNode root = JsonNode.Parse(Good)!;
        string[] names = path.Split('.');
        JsonNode target = root;
        foreach (string name in names[..^1])
            target = target[name]!;

        target[names[^1]] = JsonNode.Parse("\"here\"");
        AssertRefused(root.ToJsonString().Replace("\"here\"", value, StringComparison.Ordinal), problem);
    }

    [Fact]
    public void Read_GoodFile_IsRead() => Assert.Equal(8, TokenizerJson.Read(Encoding.UTF8.GetBytes(Good), "t.json").VocabularySize);

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("[]", "$: got an array; wanted an object")]
    [InlineData("{\"model\":{\"type\":\"BPE\"}", "line 1")]
    [InlineData("{\"model\":{},\"model\":{}}", "model")]
    [InlineData("{\"mod\\ud800el\":{}}", "file: a name is not valid UTF-8 or holds half of a surrogate pair")]
    [InlineData("{\"model\":{\"vocab\":{\"\\udc00\":0}}}", "file: a name is not valid UTF-8 or holds half of a surrogate pair")]
    public void Read_NotTheJsonWanted_SaysWhere(string json, string problem) => AssertRefused(json, problem);

    [Fact]
    public void Read_NestedTooDeep_IsRefused() => AssertRefused(new string('[', 100_000), "line 1");

    [Fact]
    public void Read_SequenceInSequence_IsRefusedWhenTooMany()
    {
        string stages = string.Join(',', Enumerable.Repeat("""{"type":"Digits"}""", TokenizerLimits.MaxStages + 1));
        AssertRefused(Good.Replace("""{"type":"ByteLevel","add_prefix_space":false}""", $$"""{"type":"Sequence","pretokenizers":[{{stages}}]}""", StringComparison.Ordinal), "wanted at most 16 elements");
    }

    [Fact]
    public void Read_StreamWithoutEnd_StopsAtTheLimit()
    {
        using EndlessStream stream = new();
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => BoundedFile.Read(stream, "t.json"));
        Assert.Contains($"more than {TokenizerLimits.MaxFileBytes} bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FolderWithoutTokenizer_NamesWhatIsWanted()
    {
        using TemporaryFolder folder = new();
        FileNotFoundException error = Assert.Throws<FileNotFoundException>(() => TokenizerFolder.Read(folder.Path));
        Assert.Contains("wanted tokenizer.json, or tokenizer.model, or vocab.json and merges.txt, or vocab.txt", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#version: 0.2\na b\nab\n", "line 3")]
    [InlineData("a nothere\n", "line 1")]
    public void Read_MalformedMerges_NamesTheLine(string merges, string where)
    {
        using TemporaryFolder folder = new();
        folder.Write("vocab.json", """{"a":0,"b":1,"ab":2}""");
        folder.Write("merges.txt", merges);
        Assert.Equal(where, Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Read(folder.Path)).Where);
    }

    [Fact]
    public void Read_RoleOfATokenThatDoesNotExist_IsRefused()
    {
        using TemporaryFolder folder = new();
        folder.Write("tokenizer.json", Good);
        folder.Write("tokenizer_config.json", """{"pad_token":"<nowhere>"}""");
        Assert.Contains("'<nowhere>' has a role but no id", Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Read(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_BytesThatTheVocabularyLacks_AreUnknownOrDropped()
    {
        Assert.Equal([0, 2], Ids(Good.Replace("\"unk_token\":\"<unk>\"", "\"unk_token\":null", StringComparison.Ordinal), "axxab"));
        Assert.Equal([0, 3, 3, 2], Ids(Good, "axxab"));
        Assert.Equal([0, 3, 2], Ids(Good.Replace("\"fuse_unk\":false", "\"fuse_unk\":true", StringComparison.Ordinal), "axxab"));
    }

    [Fact]
    public void Encode_IgnoreMerges_TakesWholeTokens()
    {
        // "aab" is a token that no merge leads to.
        Assert.Equal([0, 2], Ids(Good, "aab"));
        Assert.Equal([4], Ids(Good.Replace("\"ignore_merges\":false", "\"ignore_merges\":true", StringComparison.Ordinal), "aab"));
    }

    [Theory]
    [InlineData("xabcdx", "abcd")]
    [InlineData("xabcx", "abc")]
    public void Encode_AddedTokensThatOverlap_TakesTheLeftmostAndLongest(string text, string found)
    {
        string json = WithAdded("""{"id":9,"content":"abc"},{"id":10,"content":"abcd"},{"id":11,"content":"bcdx"}""");
        Tokenizer tokenizer = TokenizerJson.Read(Encoding.UTF8.GetBytes(json), "t.json");
        Assert.Contains(tokenizer.TokenId(found)!.Value, Ids(json, text));
    }

    [Fact]
    public void Encode_AddedTokenWithStrippingOrSingleWord_TakesSpaceOrLeavesWords()
    {
        string json = WithAdded("""{"id":9,"content":"<l>","lstrip":true},{"id":10,"content":"<r>","rstrip":true},{"id":11,"content":"aa","single_word":true}""");
        Assert.Equal([0, 9, 3, 1], Ids(json, "a  <l> b"));
        Assert.Equal([0, 3, 10, 1], Ids(json, "a <r>  b"));
        Assert.Equal([11, 3, 0, 0, 1, 3, 11], Ids(json.Replace("\"ab\":2", "\"ab_\":2", StringComparison.Ordinal).Replace("""[["a","b"]]""", "[]", StringComparison.Ordinal), "aa aab aa"));
    }

    [Fact]
    public void EncodePair_Template_PutsTokensWhereItSays()
    {
        string json = Good.Replace("\"post_processor\":null", """
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[S]","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
            "pair":[{"Sequence":{"id":"B","type_id":1}},{"SpecialToken":{"id":"[S]","type_id":2}},{"Sequence":{"id":"A","type_id":0}}],
            "special_tokens":{"[S]":{"id":"[S]","ids":[5,6],"tokens":["s","t"]}}}
            """, StringComparison.Ordinal);
        Tokenizer tokenizer = TokenizerJson.Read(Encoding.UTF8.GetBytes(json), "t.json");
        TokenRow row = new BatchEncoder(tokenizer, new()).EncodeRow("a", "b");
        Assert.Equal([1, 5, 6, 0], row.Ids);
        Assert.Equal([1, 2, 2, 0], row.TypeIds!);
        Assert.Equal([5, 6, 0], Ids(json, "a"));

        using MemoryStream written = new();
        TokenizerJson.Write(written, tokenizer);
        Assert.Equal([5, 6, 0], Ids(Encoding.UTF8.GetString(written.ToArray()), "a"));
    }

    [Fact]
    public void EncodeRow_NoRoomForSpecialTokensOrTheOtherText_IsRefused()
    {
        Tokenizer tokenizer = TokenizerJson.Read(Encoding.UTF8.GetBytes(Good), "t.json");
        Assert.Throws<ArgumentException>(() => new BatchEncoder(tokenizer, new() { MaxLength = 1, Truncation = TruncationStrategy.OnlySecond }).EncodeRow("a a", "b"));
        Assert.Throws<InvalidOperationException>(() => new BatchEncoder(tokenizer, new()).Encode(["a", "b b"]));
    }

    private const string Good = """
        {"added_tokens":[],"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"post_processor":null,"decoder":{"type":"ByteLevel"},
        "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
        "vocab":{"a":0,"b":1,"ab":2,"<unk>":3,"aab":4,"s":5,"t":6,"u":7},"merges":[["a","b"]]}}
        """;

    private static string WithAdded(string tokens) => Good.Replace("\"added_tokens\":[]", $"\"added_tokens\":[{tokens}]", StringComparison.Ordinal);

    private static int[] Ids(string json, string text)
    {
        List<int> ids = [];
        TokenizerJson.Read(Encoding.UTF8.GetBytes(json), "t.json").Encode(text, ids);
        return [.. ids];
    }

    private static void AssertRefused(string json, string problem)
    {
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => TokenizerJson.Read(Encoding.UTF8.GetBytes(json), "t.json"));
        Assert.StartsWith("t.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => count;

        public override int Read(Span<byte> buffer) => buffer.Length;
    }
}
