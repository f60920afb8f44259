using System.Buffers.Binary;
using System.Text;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>Stages of a tokenizer file that are damaged, or made to take all memory or all time.</summary>
public sealed class HostileStageTests
{
    private const string Nodes = "t.json: $.normalizer.precompiled_charsmap: got ";

    public static TheoryData<string, string> Stages => new()
    {
        { "\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"?\"}", Nodes + "a string that is not base64" },
        { "\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"}", Nodes + "a table of 0 bytes with a tree of 0" },
        { Table(tree: 4096), Nodes + "a table of 9 bytes with a tree of 4096" },
        { Table(tree: 4, 0x400, 0xFF), Nodes + "replacements that are not UTF-8" },
        { $"\"normalizer\":{{\"type\":\"Prepend\",\"prepend\":\"{new string('a', 5000)}\"}}", "$.normalizer.prepend: got a string of 5000 characters; wanted at most 4096" },
        { "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"x\"}", "$.normalizer.pattern.String: got a pattern of 0 characters" },
        { "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{},\"content\":\"x\"}", "$.normalizer.pattern.String: got nothing; wanted a string" },
        { "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"ab\"}", "$.pre_tokenizer.replacement: got 'ab'; wanted one character" },
        { "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"last\"}", "got 'last'; wanted always, first or never" },
        { "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"first\",\"add_prefix_space\":false}", "'first' beside add_prefix_space false" },
        { "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[[:alpha:]]\"},\"behavior\":\"Isolated\"}", "a class inside a class, or a POSIX bracket" },
        { "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a-z&&[^b]]\"},\"behavior\":\"Isolated\"}", "an intersection of classes" },
        { "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{Han}\"},\"behavior\":\"Isolated\"}", "the pattern '\\p{Han}', which .NET cannot run" },
        { "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a\"},\"behavior\":\"Isolated\"}", "a class without ']'" },
        { "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\\\\\"},\"behavior\":\"Isolated\"}", "a backslash at its end" },
        { "\"decoder\":{\"type\":\"BPEDecoder\",\"suffix\":\"\"}", "$.decoder.suffix: got an empty string" },
        { "\"decoder\":{\"type\":\"Strip\",\"content\":\" \",\"start\":-1,\"stop\":0}", "$.decoder.start: got -1; wanted a whole number" },
        { "\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}", "unk_token: '[UNK]' is not in the vocabulary" },
        { "\"model\":{\"type\":\"Unigram\",\"unk_id\":1,\"vocab\":[[\"a\",0]]}", "unk_id: got 1; wanted an id below 1" },
        { "\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",1e999]]}", "vocab[0]: got the score" },
        { "\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}", "$.model.vocab[0]: got an array of another length" },
        { "\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0],[\"a\",0]]}", "token 'a': it has two ids, 0 and 1" },
        { $"\"model\":{{\"type\":\"Unigram\",\"vocab\":[0{string.Concat(Enumerable.Repeat(",0", TokenizerLimits.MaxVocabulary))}]}}", $"an array of {TokenizerLimits.MaxVocabulary + 1}; wanted at most {TokenizerLimits.MaxVocabulary}" },
    };

    [Theory]
    [MemberData(nameof(Stages))]
    public void Read_DamagedStage_NamesFileAndPlace(string stage, string problem)
    {
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => Load(stage));
        Assert.StartsWith("t.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_TableThatPointsOutOfItself_NamesTheNode()
    {
        // The root's children begin at node 1 ^ 'a', which no table of one node has: found out when the letter is met, or before.
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => Load(Table(tree: 4, 0x400, 0)));
        Assert.Contains("got a node that points to node", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_ReplacementsThatMultiply_AreStoppedEarly()
    {
        string thousand = $$"""{"type":"Replace","pattern":{"String":"a"},"content":"{{new string('a', 1000)}}"}""";
        Tokenizer tokenizer = Load($"\"normalizer\":{{\"type\":\"Sequence\",\"normalizers\":[{thousand},{thousand},{thousand},{thousand}]}}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => tokenizer.Encode("aaaaaaaaaa", []));
        Assert.Contains("t.json: normalizer: it makes more than", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L << 20);
    }

    [Fact]
    public void Encode_PatternThatBacktracksForEver_EndsWithItsName()
    {
        // The look-ahead keeps the pattern from running in linear time; the nested repetition tries every way to part the letters.
        Tokenizer tokenizer = Load("""
            "pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+(?=b)"},"behavior":"Isolated"}
            """);
        TokenizerFormatException error = Assert.Throws<TokenizerFormatException>(() => tokenizer.Encode(new string('a', 60), []));
        Assert.Contains("t.json: $.pre_tokenizer.pattern.Regex: the pattern '(a+)+(?=b)' takes too long on a text of 60 characters", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_NestedRepetitionWithoutLookAhead_TakesLinearTime()
    {
        Tokenizer tokenizer = Load("""
            "pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+b"},"behavior":"Isolated"}
            """);
        List<int> ids = [];
        tokenizer.Encode(new string('a', 20_000), ids);
        Assert.Equal([0], ids);
    }

    [Fact]
    public void Encode_AddedTokensThatNormaliseIntoEachOther_AreFoundOnce()
    {
        Tokenizer tokenizer = Load("""
            "normalizer":{"type":"Replace","pattern":{"String":"x"},"content":"xx"},
            "added_tokens":[{"id":9,"content":"x","normalized":true},{"id":10,"content":"xxx","normalized":true}]
            """);
        List<int> ids = [];
        tokenizer.Encode("xxxxx", ids);
        Assert.Equal([10, 9, 9], ids);
    }

    private static Tokenizer Load(string stage)
    {
        string model = stage.Contains("\"model\":", StringComparison.Ordinal) ? "" : ",\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0}}";
        return TokenizerJson.Read(Encoding.UTF8.GetBytes("{" + stage + model + "}"), "t.json");
    }

    private static string Table(uint tree, uint root = 0, byte replacement = 0)
    {
        byte[] table = new byte[9];
        BinaryPrimitives.WriteUInt32LittleEndian(table, tree);
        BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(4), root);
        table[8] = replacement;
        return $$"""
            "normalizer":{"type":"Precompiled","precompiled_charsmap":"{{Convert.ToBase64String(table)}}"}
            """;
    }
}
