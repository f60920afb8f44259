using System.CommandLine;
using System.Text.Json;
using Federated.Simulations.Data;
using Federated.Simulations.Partitioners;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Data;

public sealed class MailPartitionTests : IDisposable
{
    private static readonly IReadOnlyList<MailRecord> Corpus = MailCorpus.Load(MailCorpus.DefaultPath);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ByFolder_BuiltInTable_GivesDisjointMailboxesOfTheStatedComposition()
    {
        MailPartition partition = MailPartition.ByFolder(Corpus, MailboxTable.Default(), seed: 1);

        Assert.Equal(["office", "lists", "newsletter", "catch-all"], partition.Clients.Select(client => client.Name));
        MailRecord[] dealt = [.. partition.Clients.SelectMany(client => client.Mails)];
        Assert.Equal(dealt.Length, dealt.Select(mail => mail.Id).Distinct().Count());
        Assert.All(dealt, mail => Assert.Equal(MailSplits.Train, mail.Split));
        foreach ((Mailbox mailbox, MailClient client) in MailboxTable.Default().Mailboxes.Zip(partition.Clients))
        {
            foreach (string folder in MailFolders.All)
            {
                double expected = mailbox.Shares.GetValueOrDefault(folder) * Corpus.Count(mail => mail.Folder == folder && mail.Split == MailSplits.Train);
                Assert.InRange(client.Mails.Count(mail => mail.Folder == folder), expected - 1, expected + 1);
            }
        }

        // Differently composed: from at most a sixth to at least four fifths of spam; together nearly balanced.
        double[] spam = [.. partition.Clients.Select(client => client.Mails.Average(mail => mail.Label == MailFolders.Spam ? 1.0 : 0))];
        Assert.InRange(spam.Min(), 0.05, 1 / 6.0);
        Assert.InRange(spam.Max(), 0.8, 0.95);
        Assert.InRange(dealt.Average(mail => mail.Label == MailFolders.Spam ? 1.0 : 0), 0.4, 0.6);
    }

    [Fact]
    public void ByFolder_SameSeed_IsTheSameAndAnotherIsNot()
    {
        string[] Ids(ulong seed) => [.. MailPartition.ByFolder(Corpus, MailboxTable.Default(), seed).Clients[0].Mails.Select(mail => mail.Id)];
        Assert.Equal(Ids(5), Ids(5));
        Assert.NotEqual(Ids(5), Ids(6));
    }

    [Fact]
    public void ByDirichlet_Labels_DealsTheWholeTrainingSplit()
    {
        MailPartition partition = MailPartition.ByDirichlet(Corpus, new() { Alpha = 1, Clients = 12, Seed = 2 });
        Assert.Equal("client-01", partition.Clients[0].Name);
        Assert.Equal(
            Corpus.Where(mail => mail.Split == MailSplits.Train).Select(mail => mail.Id).Order(StringComparer.Ordinal),
            partition.Clients.SelectMany(client => client.Mails).Select(mail => mail.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Command_Folder_WritesFilesThatAgentsRead()
    {
        (int code, string output, _) = await Run("--by", "folder", "--seed", "3", "--out", _folder.Path);

        Assert.Equal(0, code);
        Assert.Contains("catch-all", output, StringComparison.Ordinal);
        Assert.Equal(["catch-all.jsonl", "lists.jsonl", "newsletter.jsonl", "office.jsonl", "pretrain.txt", "test.jsonl"], Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        string[] lines = File.ReadAllLines(_folder["test.jsonl"]);
        Assert.Equal(500, lines.Length);
        using JsonDocument line = JsonDocument.Parse(lines[0]);
        Assert.Equal(["text", "label", "folder"], line.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(2570, File.ReadAllText(_folder["pretrain.txt"]).Split("\n\n").Length);
    }

    [Fact]
    public async Task Command_Json_PrintsTheCountsOfEveryPart()
    {
        (int code, string output, _) = await Run("--by", "dirichlet", "--alpha", "0.3", "--clients", "3", "--json", "--out", _folder.Path);

        Assert.Equal(0, code);
        using JsonDocument counts = JsonDocument.Parse(output);
        Assert.Equal(["client-1", "client-2", "client-3", "test", "pretrain"], counts.RootElement.EnumerateObject().Select(part => part.Name));
        Assert.Equal(
            Corpus.Count(mail => mail.Split == MailSplits.Train),
            Enumerable.Range(1, 3).Sum(i => counts.RootElement.GetProperty($"client-{i}").GetProperty("mails").GetInt32()));
    }

    [Fact]
    public async Task Command_FolderWithAnotherPartition_Refuses()
    {
        File.WriteAllText(_folder["client-9.jsonl"], "");
        (int code, _, string error) = await Run("--out", _folder.Path);
        Assert.Equal(1, code);
        Assert.Contains("'client-9.jsonl'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--alpha", "-1", "alpha is -1")]
    [InlineData("--clients", "0", "clients is 0")]
    [InlineData("--data", "/no/such/file.br", "/no/such/file.br")]
    public async Task Command_WrongValue_FailsAndNamesIt(string option, string value, string expected)
    {
        (int code, _, string error) = await Run("--by", "dirichlet", option, value, "--out", _folder.Path);
        Assert.Equal(1, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("mailboxes: []", "1 to 1000 are possible")]
    [InlineData("", "1 to 1000 are possible")]
    [InlineData("mailboxes:\n  - name: Bad Name\n    shares: { spam-1: 0.5 }", "mailboxes[0].name is 'Bad Name'")]
    [InlineData("mailboxes:\n  - name: test\n    shares: { spam-1: 0.5 }", "mailboxes[0].name is 'test'")]
    [InlineData("mailboxes:\n  - name: a", "mailboxes[0].shares is empty")]
    [InlineData("mailboxes:\n  - name: a\n    shares: { inbox: 0.5 }", "folder 'inbox' is unknown")]
    [InlineData("mailboxes:\n  - name: a\n    shares: { spam-1: 1.5 }", "mailboxes[0].shares.spam-1 is 1.5")]
    [InlineData("mailboxes:\n  - name: a\n    shares: { spam-1: .nan }", "mailboxes[0].shares.spam-1 is NaN")]
    [InlineData("mailboxes:\n  - name: a\n    shares: { spam-1: 0.6 }\n  - name: b\n    shares: { spam-1: 0.6 }", "'spam-1' add up to 1.2")]
    [InlineData("mailboxes:\n  - name: a\n    shares: { spam-1: 0.1 }\n  - name: a\n    shares: { spam-1: 0.1 }", "'a' occurs 2 times")]
    [InlineData("mailboxes:\n  -", "mailboxes[0].name is ''")]
    [InlineData("boxes: 3", "line 1")]
    [InlineData("mailboxes: [", "line 2: While parsing")]
    public void MailboxTable_WrongYaml_NamesTheErrorAndTheFile(string yaml, string expected)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => MailboxTable.Parse(yaml, "boxes.yaml"));
        Assert.Contains("'boxes.yaml'", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MailboxTable_SeveralErrors_AreNamedTogether()
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => MailboxTable.Parse("mailboxes:\n  - name: X\n    shares: { inbox: 2 }", "b"));
        Assert.Contains("mailboxes[0].name", error.Message, StringComparison.Ordinal);
        Assert.Contains("folder 'inbox'", error.Message, StringComparison.Ordinal);
        Assert.Contains("shares.inbox is 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ByFolder_MailboxThatStaysEmpty_IsNamed()
    {
        MailboxTable table = MailboxTable.Parse("mailboxes:\n  - name: lonely\n    shares: { hard-ham-1: 0.0001 }", "b");
        Assert.Contains("'lonely' gets no mail", Assert.Throws<InvalidDataException>(() => MailPartition.ByFolder(Corpus, table, 1)).Message, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int code = await PartitionCommand.Create().Parse(arguments).InvokeAsync(new() { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
