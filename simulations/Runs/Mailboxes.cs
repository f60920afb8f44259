using Federated.Simulations.Data;
using Federated.Simulations.Partitioners;
using Federated.Simulations.Scenarios;

namespace Federated.Simulations.Runs;

/// <summary>The data of a simulation on disk: a file for each mailbox, all of them pooled, and the common test set.</summary>
/// <param name="Files">Mailbox name to its JSONL file.</param>
/// <param name="Pooled">All mailboxes in one file.</param>
/// <param name="Test">The test set.</param>
/// <param name="Counts">Mailbox name to the number of its examples by label.</param>
public sealed record Mailboxes(
    IReadOnlyDictionary<string, string> Files, string Pooled, string Test, IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Counts)
{
    /// <summary>Partitions the scenario's corpus into <paramref name="folder"/>.</summary>
    /// <exception cref="InvalidDataException">The corpus or the table is wrong, or a mailbox would stay empty.</exception>
    public static Mailboxes Write(Scenario scenario, string folder)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        IReadOnlyList<MailRecord> corpus = MailCorpus.Load(scenario.Data.Corpus);
        MailPartition partition = scenario.Data.Dirichlet is { } dirichlet
            ? MailPartition.ByDirichlet(corpus, new() { Clients = dirichlet.Clients, Alpha = dirichlet.Alpha, Seed = scenario.Seed })
            : MailPartition.ByFolder(corpus, scenario.Data.Mailboxes is { } table ? MailboxTable.Load(table) : MailboxTable.Default(), scenario.Seed);
        partition.Write(folder);

        Dictionary<string, string> files = partition.Clients.ToDictionary(
            client => client.Name, client => Path.Combine(folder, client.Name + ".jsonl"), StringComparer.Ordinal);
        string pooled = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "pooled")).FullName, "all.jsonl");
        File.WriteAllLines(pooled, files.Values.SelectMany(File.ReadLines));
        return new(
            files, pooled, Path.Combine(folder, MailPartition.TestFile),
            partition.Clients.ToDictionary(
                client => client.Name,
                client => (IReadOnlyDictionary<string, int>)client.Mails.CountBy(mail => mail.Label).ToDictionary(count => count.Key, count => count.Value, StringComparer.Ordinal),
                StringComparer.Ordinal));
    }
}
