using System.IO.Compression;
using System.Text;
using Federated.Client.Data;

namespace Federated.Client.Tests.Data;

public sealed class TextFilesTests : IDisposable
{
    /// <summary>Stands in every private text of these tests; no message may hold it.</summary>
    private const string Secret = "geheim";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_JsonLines_GivesTextLabelLineAndMetadata()
    {
        string path = _folder.Write("a.jsonl", """
            {"folder":"spam-1","label":"spam","text":"Käufe\njetzt","size":12,"seen":true,"none":null,"nested":{"text":"not this"}}

            {"text":"", "label":0}

            """);
        LabelledText[] examples = [.. TextFiles.Read(path)];
        Assert.Equal(2, examples.Length);
        Assert.Equal(("Käufe\njetzt", "spam", 1), (examples[0].Text, examples[0].Label, examples[0].Line));
        Assert.Equal(new Dictionary<string, string> { ["folder"] = "spam-1", ["size"] = "12", ["seen"] = "true" }, examples[0].Metadata);
        Assert.Equal(("", "0", 3), (examples[1].Text, examples[1].Label, examples[1].Line));
    }

    [Fact]
    public void Read_Csv_GivesTextLabelLineAndMetadata()
    {
        string path = _folder.Write("a.csv", "\uFEFFlabel,text,source\r\nham,\"one, \"\"two\"\"\nthree\",web\r\n\r\nspam,four,\r\n");
        LabelledText[] examples = [.. TextFiles.Read(path)];
        Assert.Equal(2, examples.Length);
        Assert.Equal(("one, \"two\"\nthree", "ham", 2), (examples[0].Text, examples[0].Label, examples[0].Line));
        Assert.Equal("web", examples[0].Metadata["source"]);
        Assert.Equal(("four", "spam", 5), (examples[1].Text, examples[1].Label, examples[1].Line));
    }

    [Fact]
    public void Read_CsvOfOneColumn_TellsAnEmptyTextFromABlankLine()
    {
        string path = _folder.Write("a.csv", "\ntext\n\n\"\"\n\none\n");
        Assert.Equal([("", 4), ("one", 6)], TextFiles.Read(path, new() { LabelColumn = null }).Select(example => (example.Text, example.Line)));
    }

    [Theory]
    [InlineData(".jsonl", "{\"body\":\"x\",\"class\":\"a\"}\n")]
    [InlineData(".csv", "body,class\nx,a\n")]
    public void Read_OtherColumnNames_AreTakenFromTheOptions(string ending, string content)
    {
        string path = _folder.Write("a" + ending, content);
        LabelledText example = Assert.Single(TextFiles.Read(path, new() { TextColumn = "body", LabelColumn = "class" }));
        Assert.Equal(("x", "a"), (example.Text, example.Label));
        Assert.Null(Assert.Single(TextFiles.Read(path, new() { TextColumn = "body", LabelColumn = null })).Label);
    }

    [Fact]
    public void Read_PlainText_GivesTheDocumentsBetweenSeparatorsWithTheirLines()
    {
        string path = _folder.Write("a.txt", "\uFEFFone\r\n\r\ntwo <|endoftext|>\n<|endoftext|>\r\n\n<|endoftext|>\nKäufe\n<|endoftext|>");
        Assert.Equal(
            [("one\n\ntwo <|endoftext|>", 1), ("Käufe", 7)],
            TextFiles.Read(path, new() { LabelColumn = null }).Select(document => (document.Text, document.Line)));
        Assert.Equal(("whole\n\nfile", 1), TextFiles.Read(_folder.Write("b.txt", "whole\n\nfile\n"), new() { LabelColumn = null }).Select(document => (document.Text, document.Line)).Single());
        Assert.Empty(TextFiles.Read(_folder.Write("c.txt", "\n"), new() { LabelColumn = null }));
    }

    [Fact]
    public void Read_PlainTextThatIsWrong_NamesPlaceAndWayOut()
    {
        TextFileOptions unlabelled = new() { LabelColumn = null, MaxDocumentLength = 100 };
        string longer = _folder.Write("a.txt", "x\n<|endoftext|>\n" + string.Concat(Enumerable.Repeat(Secret + "\n", 20)));
        AssertWrong(longer, unlabelled, 3, "put lines that hold only <|endoftext|> between documents");
        AssertWrong(_folder.Write("b.txt", string.Concat(Enumerable.Repeat(Secret, 20))), unlabelled, 1, "more than 100 bytes");
        AssertWrong(_folder.Write("c.txt", Secret), new(), 0, "plain text has no fields; wanted JSONL or CSV with 'text' and 'label'");
        string latin = Path.Combine(_folder.Path, "d.txt");
        File.WriteAllBytes(latin, [(byte)'a', (byte)'\n', 0xFC]);
        AssertWrong(latin, unlabelled, 2, "UTF-8");

        static void AssertWrong(string path, TextFileOptions options, int line, string problem)
        {
            DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path, options).Count());
            Assert.Equal(line, error.Line);
            Assert.Contains(problem, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"text":"a","text_pair":"b","label":1}""", "a", "b")]
    [InlineData("""{"text":"a","text_pair":null,"label":1}""", "a", null)]
    [InlineData("""{"sentence":"a","idx":7,"label":1}""", "a", null)]
    [InlineData("""{"sentence1":"a","sentence2":"b","label":1}""", "a", "b")]
    [InlineData("""{"premise":"a","hypothesis":"b","label":1}""", "a", "b")]
    [InlineData("""{"question1":"a","question2":"b","label":1}""", "a", "b")]
    [InlineData("""{"sentence":"b","question":"a","label":1}""", "a", "b")]
    public void Read_PairsByTheirUsualNames_AreFound(string line, string text, string? pair)
    {
        LabelledText example = Assert.Single(TextFiles.Read(_folder.Write("a.jsonl", line + "\n"), new() { Pairs = true }));
        Assert.Equal((text, pair, "1"), (example.Text, example.Pair, example.Label));
        Assert.DoesNotContain("sentence", example.Metadata.Keys);
    }

    [Fact]
    public void Read_PairsByGivenNames_AreFound()
    {
        string path = _folder.Write("a.csv", "q,a,label,text\none,two,x,other\n");
        LabelledText example = Assert.Single(TextFiles.Read(path, new() { TextColumn = "q", PairColumn = "a" }));
        Assert.Equal(("one", "two", "other"), (example.Text, example.Pair, example.Metadata["text"]));
        Assert.Null(Assert.Single(TextFiles.Read(path, new() { TextColumn = "q", Pairs = true })).Pair);
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path, new() { PairColumn = "b" }).Count());
        Assert.Contains("no column 'b'", error.Message, StringComparison.Ordinal);
        Assert.Contains("--pair-column", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_AnyFields_KeepTheirKinds()
    {
        string path = _folder.Write("a.jsonl", """{"messages":[{"role":"user","content":"é \u00e9"}],"n":1.50,"b":false,"o":{ },"none":null}""" + "\n");
        DataRecord record = Assert.Single(TextFiles.Records(path));
        Assert.Equal(
            new Dictionary<string, DataValue>
            {
                ["messages"] = new(DataKind.Sequence, """[{"role":"user","content":"é \u00e9"}]"""),
                ["n"] = new(DataKind.Number, "1.50"),
                ["b"] = new(DataKind.Boolean, "false"),
                ["o"] = new(DataKind.Mapping, "{ }"),
            },
            record.Fields);
        Assert.Equal($"{path}:1", record.ToString());
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".br")]
    public void Read_Compressed_GivesTheSame(string ending)
    {
        string path = Compressed(ending, 1000);
        LabelledText[] examples = [.. TextFiles.Read(path)];
        Assert.Equal(1000, examples.Length);
        Assert.Equal(("text 999", 1000), (examples[^1].Text, examples[^1].Line));
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".br")]
    public void Read_InflatesBeyondTheLimit_Stops(string ending)
    {
        string path = Compressed(ending, 1000);
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path, new() { MaxFileBytes = 10_000 }).Count());
        Assert.Contains("exceeds 10,000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".br")]
    public void Read_CompressionCutShort_NamesTheFile(string ending)
    {
        string path = Compressed(ending, 1000);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path).Count());
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(9)]
    public void Read_GzipCutInItsTrailer_NamesTheFile(int cut)
    {
        string path = Compressed(".gz", 1000);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^cut]);
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path).Count());
        Assert.Contains("cut short", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RecordOfMillionsOfFields_StopsBeforeTheyAreHeld()
    {
        string path = _folder.Write("a.csv", "text,label\n\"a,\nb\",ham\n" + new string(',', 3_000_000));
        long before = GC.GetAllocatedBytesForCurrentThread();
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path).Count());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        Assert.Equal(4, error.Line);
        Assert.Contains("more than 10,000 fields", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ManyCommasInQuotes_AreOneField()
    {
        string commas = new(',', 100_000);
        string path = _folder.Write("a.csv", $"text,label\r\n\"{commas}\"\"\r\n\",ham\r\n");
        Assert.Equal(commas + "\"\r\n", Assert.Single(TextFiles.Read(path)).Text);
    }

    [Theory]
    [InlineData("""{"label":"ham"}""", 2, "'text' is missing")]
    [InlineData("""{"text":"geheim"}""", 2, "--label-column")]
    [InlineData("""{"text":"geheim","label":"ham","text":"geheim"}""", 2, "twice")]
    [InlineData("""{"text":["geheim"],"label":"ham"}""", 2, "an array; wanted a string")]
    [InlineData("""{"text":"geheim","label":{}}""", 2, "an object; wanted a string")]
    [InlineData("""["geheim"]""", 2, "an array; wanted an object")]
    [InlineData("""{"text":"geheim","label":"ham"} geheim""", 2, "byte 33 of 38")]
    [InlineData("""{"text":"geheim","label":"ham" """, 2, "stops being JSON")]
    [InlineData("""{"text":"geheim\ud800","label":"ham"}""", 2, "surrogate")]
    [InlineData("""geheim""", 2, "byte 1 of 6")]
    public void Read_MalformedJsonLine_NamesTheLineAndNeverQuotesIt(string line, int number, string problem)
    {
        string path = _folder.Write("a.jsonl", """{"text":"fine","label":"ham"}""" + "\n" + line + "\n");
        AssertError(path, number, problem);
    }

    [Theory]
    [InlineData("id,label\ngeheim,ham\n", 1, "there is no column 'text'; the columns are 'id', 'label', wanted 'text' and 'label'. If yours has another name, say so with --text-column.")]
    [InlineData("text,class\ngeheim,ham\n", 1, "--label-column")]
    [InlineData("geheim is what stands here,ham\n", 1, "(26 characters)")]
    [InlineData("text,text,label\na,b,c\n", 1, "'text' occurs twice")]
    [InlineData("text,label\na,ham\ngeheim\n", 3, "got 1 fields; wanted 2")]
    [InlineData("text,label\na,ham\ngeheim,und,mehr\n", 3, "got 3 fields; wanted 2")]
    [InlineData("text,label\r\n\r\n\r\na,ham\r\n\r\ngeheim\r\n", 6, "got 1 fields; wanted 2")]
    [InlineData("\n\nid,label\n", 3, "there is no column 'text'")]
    [InlineData("text,label\na,ham\n\n\nge\"heim geheim,ham\n", 5, "a quote stands inside a field")]
    [InlineData("text,label\na,ham\nge\"heim geheim,ham\n", 3, "a quote stands inside a field")]
    [InlineData("", 0, "it is empty; wanted a header line")]
    public void Read_MalformedCsv_NamesTheLineAndNeverQuotesIt(string content, int number, string problem)
    {
        string path = _folder.Write("a.csv", content);
        AssertError(path, number, problem);
    }

    [Theory]
    [InlineData(".jsonl", "{\"text\":\"a\",\"label\":\"ham\"}\n{\"text\":\"*\",\"label\":\"ham\"}\n")]
    [InlineData(".csv", "text,label\n\"*\",ham\n")]
    [InlineData(".csv", "text,label\n\"*,ham\n")]
    public void Read_LineTooLong_StopsAtTheLimit(string ending, string pattern)
    {
        string path = _folder.Write("a" + ending, pattern.Replace("*", string.Concat(Enumerable.Repeat(Secret, 100_000)), StringComparison.Ordinal));
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path, new() { MaxLineLength = 1000 }).Count());
        Assert.Equal(2, error.Line);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".jsonl", "{\"text\":\"*\",\"label\":\"ham\"}\n")]
    [InlineData(".csv", "text,label\n*,ham\n")]
    public void Read_BytesThatAreNotUtf8_SaysSo(string ending, string pattern)
    {
        string path = Path.Combine(_folder.Path, "a" + ending);
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(pattern.Replace('*', 'ü')));
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path).Count());
        Assert.Contains("UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_UnknownEnding_NamesTheKnownOnes()
    {
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(_folder.Write("a.xlsx", "")));
        Assert.Contains(".jsonl.br", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_Example_HidesTheText()
    {
        LabelledText example = new(Secret, "ham", "a.csv", 7, new Dictionary<string, string> { ["from"] = Secret });
        Assert.Equal("a.csv:7 (6 characters)", example.ToString());
    }

    [Fact]
    public void IndexOf_UnknownLabel_NamesPlaceAndKnownLabelsOnly()
    {
        LabelSet labels = new(["ham", "spam"]);
        LabelledText example = new("x", "spam", "a.csv", 7, new Dictionary<string, string>());
        Assert.Equal(1, labels.IndexOf(example));
        DataFormatException error = Assert.Throws<DataFormatException>(() => labels.IndexOf(example with { Label = Secret }));
        Assert.StartsWith("a.csv:7: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("ham, spam", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.Message, StringComparison.Ordinal);
        Assert.Throws<DataFormatException>(() => labels.IndexOf(example with { Label = null }));
    }

    [Fact]
    public void LabelSet_OneNameOrOneTwice_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new LabelSet(["ham"]));
        Assert.Throws<ArgumentException>(() => new LabelSet(["ham", "ham"]));
    }

    private static void AssertError(string path, int line, string problem)
    {
        DataFormatException error = Assert.Throws<DataFormatException>(() => TextFiles.Read(path).Count());
        Assert.StartsWith(line == 0 ? $"{path}: " : $"{path}:{line}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    private string Compressed(string ending, int lines)
    {
        string path = Path.Combine(_folder.Path, "a.jsonl" + ending);
        using FileStream file = File.Create(path);
        using Stream stream = ending == ".gz" ? new GZipStream(file, CompressionLevel.Fastest) : new BrotliStream(file, CompressionLevel.Fastest);
        for (int i = 0; i < lines; i++)
            stream.Write(Encoding.UTF8.GetBytes($"{{\"text\":\"text {i}\",\"label\":\"ham\"}}\n"));

        return path;
    }
}
