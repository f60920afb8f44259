using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Simulations.Data;

namespace Federated.Simulations.Partitioners;

/// <summary>What a client trains on.</summary>
/// <param name="Name">Name of the client and of its file.</param>
/// <param name="Mails">Its mails, in the order of the corpus.</param>
public sealed record MailClient(string Name, IReadOnlyList<MailRecord> Mails);

/// <summary>Clients' private mail, the common test set, and mail for pretraining: disjoint, and no near-duplicates between the three.</summary>
/// <param name="Clients">Disjoint parts of the training split.</param>
/// <param name="Test">Half ham, half spam; no client has any of it.</param>
/// <param name="Pretrain">Mail in neither.</param>
public sealed record MailPartition(IReadOnlyList<MailClient> Clients, IReadOnlyList<MailRecord> Test, IReadOnlyList<MailRecord> Pretrain)
{
    /// <summary>Name of the test set's file.</summary>
    public const string TestFile = "test.jsonl";

    /// <summary>Name of the file with text for pretraining.</summary>
    public const string PretrainFile = "pretrain.txt";

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Differently composed mailboxes.</summary>
    /// <param name="corpus">What <see cref="MailCorpus.Load"/> gave.</param>
    /// <param name="table">Which mailbox gets which share of which folder.</param>
    /// <param name="seed">Equal seeds give equal partitions.</param>
    /// <exception cref="InvalidDataException">A mailbox would stay empty.</exception>
    public static MailPartition ByFolder(IReadOnlyList<MailRecord> corpus, MailboxTable table, ulong seed)
    {
        MailRecord[] train = Of(corpus, MailSplits.Train);
        IReadOnlyList<int[]> parts = FolderPartitioner.Partition([.. train.Select(mail => mail.Folder)], table, seed);
        return Create(corpus, train, parts, [.. table.Mailboxes.Select(mailbox => mailbox.Name)]);
    }

    /// <summary>Clients with Dirichlet-distributed shares of each label or folder.</summary>
    /// <param name="corpus">What <see cref="MailCorpus.Load"/> gave.</param>
    /// <param name="options">How to deal.</param>
    /// <param name="overFolders">Whether the five folders are dealt rather than the two labels.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="InvalidOperationException">The minimum size cannot be reached.</exception>
    public static MailPartition ByDirichlet(IReadOnlyList<MailRecord> corpus, DirichletOptions options, bool overFolders = false)
    {
        MailRecord[] train = Of(corpus, MailSplits.Train);
        IReadOnlyList<int[]> parts = DirichletPartitioner.Partition([.. train.Select(mail => overFolders ? mail.Folder : mail.Label)], options);
        string digits = new('0', $"{parts.Count}".Length);
        return Create(corpus, train, parts, [.. Enumerable.Range(1, parts.Count).Select(i => $"client-{i.ToString(digits, null)}")]);
    }

    /// <summary>Writes <c>NAME.jsonl</c> for each client and <see cref="TestFile"/> (text, label, folder), and <see cref="PretrainFile"/> (a blank line between two mails).</summary>
    /// <param name="folder">Created when missing; files of the same names are replaced.</param>
    /// <exception cref="IOException">The folder cannot be written, or holds the clients of another partition.</exception>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        HashSet<string> written = [TestFile, .. Clients.Select(client => $"{client.Name}.jsonl")];
        string? stranger = Directory.EnumerateFiles(folder, "*.jsonl").Select(path => Path.GetFileName(path)).FirstOrDefault(name => !written.Contains(name));
        if (stranger is not null)
            throw new IOException($"'{folder}' already holds '{stranger}', which is no file of this partition and would be taken for a client's. Give an empty folder.");

        foreach (MailClient client in Clients)
            WriteLines(Path.Combine(folder, $"{client.Name}.jsonl"), client.Mails);

        WriteLines(Path.Combine(folder, TestFile), Test);
        File.WriteAllText(Path.Combine(folder, PretrainFile), string.Join("\n\n", Pretrain.Select(mail => mail.Text)) + "\n");
    }

    private static MailPartition Create(IReadOnlyList<MailRecord> corpus, MailRecord[] train, IReadOnlyList<int[]> parts, string[] names) =>
        new([.. parts.Select((part, i) => new MailClient(names[i], [.. part.Select(mail => train[mail])]))], Of(corpus, MailSplits.Test), Of(corpus, MailSplits.Pretrain));

    private static MailRecord[] Of(IReadOnlyList<MailRecord> corpus, string split) => [.. corpus.Where(mail => mail.Split == split)];

    private static void WriteLines(string path, IEnumerable<MailRecord> mails)
    {
        using StreamWriter writer = new(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        foreach (MailRecord mail in mails)
            writer.WriteLine(JsonSerializer.Serialize(new Line(mail.Text, mail.Label, mail.Folder), Json));
    }

    private sealed record Line(
        [property: JsonPropertyName("text")] string Text,
        [property: JsonPropertyName("label")] string Label,
        [property: JsonPropertyName("folder")] string Folder);
}
