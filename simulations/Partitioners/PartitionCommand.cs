using System.CommandLine;
using System.Text.Json;
using Federated.Simulations.Data;

namespace Federated.Simulations.Partitioners;

/// <summary><c>simulations partition</c>: deals the training mail to clients and writes a file for each.</summary>
public static class PartitionCommand
{
    private static readonly string[] CountHeader = ["client", "mails", "ham", "spam", .. MailFolders.All];

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<string> by = new("--by") { Description = "How to deal: folder (mailboxes of a table) or dirichlet.", DefaultValueFactory = _ => "folder" };
        by.AcceptOnlyFromAmong("folder", "dirichlet");
        Option<FileInfo?> mailboxes = new("--mailboxes") { Description = "YAML table for --by folder; the built-in one has four mailboxes." };
        Option<string> over = new("--over") { Description = "What --by dirichlet deals: label or folder.", DefaultValueFactory = _ => "label" };
        over.AcceptOnlyFromAmong("label", "folder");
        DirichletOptions standard = new();
        Option<double> alpha = new("--alpha") { Description = "Concentration of --by dirichlet, above 0.", DefaultValueFactory = _ => standard.Alpha };
        Option<int> clients = new("--clients") { Description = "Clients of --by dirichlet.", DefaultValueFactory = _ => standard.Clients };
        Option<int> minSize = new("--min-size") { Description = "Fewest mails of a client of --by dirichlet.", DefaultValueFactory = _ => standard.MinSize };
        Option<ulong> seed = new("--seed") { Description = "Equal seeds give equal partitions.", DefaultValueFactory = _ => standard.Seed };
        Option<FileInfo?> data = new("--data") { Description = "Corpus file; the one built in by default." };
        Option<DirectoryInfo> output = new("--out") { Description = "Folder for NAME.jsonl, test.jsonl and pretrain.txt.", Required = true };
        Option<bool> json = new("--json") { Description = "Print the counts as JSON." };
        Command command = new("partition", "Deal the corpus's training mail to clients.") { by, mailboxes, over, alpha, clients, minSize, seed, data, output, json };
        command.SetAction(arguments =>
        {
            TextWriter writer = arguments.InvocationConfiguration.Output;
            try
            {
                IReadOnlyList<MailRecord> corpus = MailCorpus.Load(arguments.GetValue(data)?.FullName ?? MailCorpus.DefaultPath);
                MailPartition partition = arguments.GetValue(by) == "folder"
                    ? MailPartition.ByFolder(corpus, arguments.GetValue(mailboxes) is { } file ? MailboxTable.Load(file.FullName) : MailboxTable.Default(), arguments.GetValue(seed))
                    : MailPartition.ByDirichlet(
                        corpus,
                        new() { Alpha = arguments.GetValue(alpha), Clients = arguments.GetValue(clients), MinSize = arguments.GetValue(minSize), Seed = arguments.GetValue(seed) },
                        overFolders: arguments.GetValue(over) == "folder");
                partition.Write(arguments.GetRequiredValue(output).FullName);
                Print(partition, arguments.GetValue(json), writer);
                return 0;
            }
            catch (Exception error) when (error is IOException or InvalidDataException or ArgumentException or InvalidOperationException or UnauthorizedAccessException)
            {
                arguments.InvocationConfiguration.Error.WriteLine($"partition: {error.Message}");
                return 1;
            }
        });
        return command;
    }

    private static void Print(MailPartition partition, bool json, TextWriter writer)
    {
        MailClient[] all = [.. partition.Clients, new("test", partition.Test), new("pretrain", partition.Pretrain)];
        if (json)
        {
            writer.WriteLine(JsonSerializer.Serialize(all.ToDictionary(part => part.Name, part => CountHeader.Skip(1).Zip(Counts(part)).ToDictionary(pair => pair.First, pair => pair.Second))));
            return;
        }

        CountTable.Write(writer, CountHeader, [.. all.Select(part => (string[])[part.Name, .. Counts(part).Select(count => $"{count}")])]);
    }

    private static IEnumerable<int> Counts(MailClient part) =>
    [
        part.Mails.Count,
        part.Mails.Count(mail => mail.Label == MailFolders.Ham),
        part.Mails.Count(mail => mail.Label == MailFolders.Spam),
        .. MailFolders.All.Select(folder => part.Mails.Count(mail => mail.Folder == folder)),
    ];
}
