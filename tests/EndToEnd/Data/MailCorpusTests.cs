using System.IO.Compression;
using System.Text;
using Federated.Simulations.Data;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Data;

public sealed class MailCorpusTests : IDisposable
{
    private const string Good = """{"id":"spam-1/1","folder":"spam-1","label":"spam","split":"train","text":"t"}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_WhatEncodeGave_IsEqual()
    {
        MailRecord[] records = [new("easy-ham-1/1", "easy-ham-1", "ham", "test", "é \"quoted\" <mail>\nline"), new("spam-2/2", "spam-2", "spam", "pretrain", "x")];
        File.WriteAllBytes(_folder["c.br"], MailCorpus.Encode(records));
        Assert.Equal(records, MailCorpus.Load(_folder["c.br"]));
    }

    [Theory]
    [InlineData(Good + "\n" + Good, "line 2: id 'spam-1/1' occurs twice")]
    [InlineData(Good + "\nnot json", "line 2 is no JSON object")]
    [InlineData("""{"id":"a"}""", "line 1 lacks one of")]
    [InlineData("null", "line 1 lacks one of")]
    [InlineData("""{"id":"a","folder":"inbox","label":"ham","split":"train","text":"t"}""", "folder 'inbox' is unknown")]
    [InlineData("""{"id":"a","folder":"spam-1","label":"ham","split":"train","text":"t"}""", "label 'ham' contradicts folder 'spam-1'")]
    [InlineData("""{"id":"a","folder":"spam-1","label":"spam","split":"dev","text":"t"}""", "split 'dev' is unknown")]
    public void Load_WrongLine_NamesIt(string lines, string expected) => AssertRefused(Compress(lines), expected);

    [Fact]
    public void Load_NoBrotli_SaysSo() => AssertRefused("hello, this is no brotli stream"u8.ToArray(), "is no Brotli stream");

    [Fact]
    public void Load_EndlessLine_StopsReading() => AssertRefused(Compress(new string('a', 1 << 20)), "line 1 is longer than 65,536 chars");

    [Fact]
    public void Load_TooLargeFile_IsRefusedUnread() => AssertRefused(new byte[MailCorpus.MaxCompressedBytes + 1], "has at most 4,194,304");

    [Fact]
    public void Load_NoFile_SaysHowToGetIt()
    {
        FileNotFoundException error = Assert.Throws<FileNotFoundException>(() => MailCorpus.Load(_folder["none"]));
        Assert.Contains("eng/prepare-mail.sh", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Compress(string text)
    {
        using MemoryStream output = new();
        using (BrotliStream brotli = new(output, CompressionLevel.Fastest))
            brotli.Write(Encoding.UTF8.GetBytes(text));

        return output.ToArray();
    }

    private void AssertRefused(byte[] file, string expected)
    {
        File.WriteAllBytes(_folder["c.br"], file);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => MailCorpus.Load(_folder["c.br"]));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("c.br", error.Message, StringComparison.Ordinal);
    }
}
