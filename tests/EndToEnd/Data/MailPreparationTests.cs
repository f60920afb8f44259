using System.Text;
using Federated.Simulations.Data;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Data;

public sealed class MailPreparationTests : IDisposable
{
    private static readonly MailQuotas Quotas = new(
        MailFolders.All.ToDictionary(folder => folder, _ => 2),
        MailFolders.All.ToDictionary(folder => folder, _ => 3));

    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Prepare_Twice_GivesTheSameBytes()
    {
        WriteCorpus();
        byte[] first = MailCorpus.Encode(MailPreparation.Prepare(_root.Path, Quotas).Records);
        Assert.Equal(first, MailCorpus.Encode(MailPreparation.Prepare(_root.Path, Quotas).Records));
    }

    [Fact]
    public void Prepare_SmallCorpus_CleansDropsCopiesAndFillsQuotas()
    {
        WriteCorpus();
        Write("spam-1", 90, "Tiny", "Too few words.");
        Write("spam-1", 91, "Ĉ", "привет это письмо на русском языке о разных вещах и ещё немного");
        Write("spam-2", 92, "Subject of spam-2 number 0", Words("spam-2", 0) + "\nPhone 212-555-0199, Jane Roe <jane@x.org>");

        MailPreparationResult result = MailPreparation.Prepare(_root.Path, Quotas);

        Assert.Equal((63, 1, 1), (result.Read, result.Blank, result.Foreign));
        foreach (string folder in MailFolders.All)
        {
            Assert.Equal(2, result.Records.Count(mail => mail.Folder == folder && mail.Split == MailSplits.Test));
            Assert.Equal(3, result.Records.Count(mail => mail.Folder == folder && mail.Split == MailSplits.Pretrain));
        }

        MailRecord changed = result.Records.Single(mail => mail.Id == "spam-2/00092");
        Assert.EndsWith("Phone <phone>, <name> <mail>", changed.Text, StringComparison.Ordinal);
        Assert.Equal("spam", changed.Label);
        Assert.Equal(result.Records.Single(mail => mail.Id == "spam-2/00000").Split, changed.Split);
    }

    [Fact]
    public void Prepare_SameWordsTwice_KeepsTheFirst()
    {
        WriteCorpus();
        Write("spam-2", 93, "SUBJECT of spam-2 number 1", Words("spam-2", 1) + "!");
        MailPreparationResult result = MailPreparation.Prepare(_root.Path, Quotas);
        Assert.Equal(1, result.Copies);
        Assert.DoesNotContain(result.Records, mail => mail.Id == "spam-2/00093");
    }

    [Fact]
    public void Prepare_FolderMissing_NamesItAndTheScript()
    {
        DirectoryNotFoundException error = Assert.Throws<DirectoryNotFoundException>(() => MailPreparation.Prepare(_root.Path, Quotas));
        Assert.Contains("easy-ham-1", error.Message, StringComparison.Ordinal);
        Assert.Contains("eng/prepare-mail.sh", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_TooFewMails_SaysWhichFolderLacksHowMany()
    {
        WriteCorpus();
        MailQuotas greedy = Quotas with { Test = new Dictionary<string, int> { ["hard-ham-1"] = 15 } };
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => MailPreparation.Prepare(_root.Path, greedy));
        Assert.Contains("'hard-ham-1' lacks 3 mails for the 'test' split of 15", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1999, 1999)]
    [InlineData(2000, 2000)]
    public void Cut_ShortEnough_StaysWhole(int length, int expected) =>
        Assert.Equal(expected, MailPreparation.Cut(new string('a', length)).Length);

    [Fact]
    public void Cut_Longer_EndsAtABlankAndTearsNothing()
    {
        Assert.Equal(new string('a', 1990), MailPreparation.Cut(new string('a', 1990) + " <phone><phone>"));
        string pairs = MailPreparation.Cut("a" + string.Concat(Enumerable.Repeat("😀", 1500)));
        Assert.Equal(1999, pairs.Length);
        Assert.False(char.IsHighSurrogate(pairs[^1]));
    }

    private void WriteCorpus()
    {
        foreach (string folder in MailFolders.All)
        {
            for (int i = 0; i < 12; i++)
                Write(folder, i, $"Subject of {folder} number {i}", Words(folder, i));
        }
    }

    // Forty words that no other mail has: no near-duplicates but the intended ones.
    private static string Words(string folder, int number) =>
        string.Join(' ', Enumerable.Range(0, 40).Select(i => $"{folder[0]}word{folder[^1]}x{(char)('a' + number)}{(char)('a' + (i % 26))}{(char)('a' + (i / 26))}"));

    private void Write(string folder, int number, string subject, string body)
    {
        Directory.CreateDirectory(_root[folder]);
        File.WriteAllText(Path.Combine(_root[folder], $"{number:00000}.abc.txt"), $"From: Bulk Sender <b@x.org>\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n", Encoding.UTF8);
    }
}
