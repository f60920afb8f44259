using System.Text.RegularExpressions;
using Federated.Simulations.Data;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Federated.Simulations.Partitioners;

/// <summary>One mailbox: which share of each folder's training mail it gets.</summary>
public sealed record Mailbox
{
    /// <summary>Name of the client and of its file: lower-case letters, digits and hyphens.</summary>
    public string Name { get; init; } = "";

    /// <summary>Folder of the corpus to share, above 0 and at most 1.</summary>
    public Dictionary<string, double> Shares { get; init; } = [];
}

/// <summary>Mailboxes and their shares, read from YAML.</summary>
public sealed partial class MailboxTable
{
    /// <summary>Most mailboxes in a table: 1,000.</summary>
    public const int MaxMailboxes = 1000;

    private const int MaxFileBytes = 1 << 20;
    private const double RoundingAllowance = 1e-9;

    private MailboxTable(IReadOnlyList<Mailbox> mailboxes) => Mailboxes = mailboxes;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<Mailbox> Mailboxes { get; }

    /// <summary>The four mailboxes of the demo: office, lists, newsletter and catch-all.</summary>
    public static MailboxTable Default()
    {
        using Stream stream = typeof(MailboxTable).Assembly.GetManifestResourceStream("mailboxes.yaml")
            ?? throw new InvalidOperationException("The assembly lacks its resource mailboxes.yaml; build the project anew.");
        using StreamReader reader = new(stream);
        return Parse(reader.ReadToEnd(), "mailboxes.yaml");
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The table is wrong; the message names every error.</exception>
    public static MailboxTable Load(string path)
    {
        long length = new FileInfo(path).Length;
        return length <= MaxFileBytes
            ? Parse(File.ReadAllText(path), path)
            : throw new InvalidDataException($"'{path}' has {length:N0} bytes; a mailbox table has at most {MaxFileBytes:N0}.");
    }

    /// <summary>Reads YAML text.</summary>
    /// <param name="yaml">A map with the list <c>mailboxes</c>, each with <c>name</c> and <c>shares</c>.</param>
    /// <param name="source">How errors name the text.</param>
    /// <exception cref="InvalidDataException">The table is wrong; the message names every error.</exception>
    public static MailboxTable Parse(string yaml, string source)
    {
        Document? document;
        try
        {
            document = new DeserializerBuilder().WithNamingConvention(HyphenatedNamingConvention.Instance).Build().Deserialize<Document?>(yaml);
        }
        catch (YamlException broken)
        {
            throw new InvalidDataException($"'{source}' line {broken.Start.Line}: {broken.InnerException?.Message ?? broken.Message}", broken);
        }

        List<Mailbox> mailboxes = document?.Mailboxes ?? [];
        string[] errors = [.. Errors(mailboxes)];
        return errors.Length == 0
            ? new(mailboxes)
            : throw new InvalidDataException($"'{source}': {string.Join(' ', errors)}");
    }

    private static IEnumerable<string> Errors(List<Mailbox> mailboxes)
    {
        if (mailboxes.Count is 0 or > MaxMailboxes)
            yield return $"'mailboxes' lists {mailboxes.Count}; 1 to {MaxMailboxes} are possible.";

        for (int i = 0; i < mailboxes.Count; i++)
        {
            foreach (string error in Errors(mailboxes[i], $"mailboxes[{i}]"))
                yield return error;
        }

        foreach (IGrouping<string, Mailbox> twice in mailboxes.Where(mailbox => mailbox is not null).GroupBy(mailbox => mailbox.Name).Where(group => group.Count() > 1))
            yield return $"mailboxes: the name '{twice.Key}' occurs {twice.Count()} times.";

        foreach (string folder in MailFolders.All)
        {
            double sum = mailboxes.Sum(mailbox => mailbox?.Shares?.GetValueOrDefault(folder) ?? 0);
            if (sum > 1 + RoundingAllowance)
                yield return $"mailboxes: the shares of '{folder}' add up to {sum:0.###}; at most 1 can be given away.";
        }
    }

    private static IEnumerable<string> Errors(Mailbox? mailbox, string path)
    {
        if (mailbox?.Name is null || !Name().IsMatch(mailbox.Name))
            yield return $"{path}.name is '{mailbox?.Name}'; it must be 1 to 40 lower-case letters, digits or hyphens, as it names a file. 'test' is taken.";

        if (mailbox?.Shares is not { Count: > 0 } shares)
        {
            yield return $"{path}.shares is empty; give at least one folder, such as easy-ham-1: 0.3.";
            yield break;
        }

        foreach ((string folder, double share) in shares)
        {
            if (!MailFolders.All.Contains(folder))
                yield return $"{path}.shares: folder '{folder}' is unknown; known: {string.Join(", ", MailFolders.All)}.";

            if (!(share is > 0 and <= 1))
                yield return $"{path}.shares.{folder} is {share}; a share is above 0 and at most 1.";
        }
    }

    [GeneratedRegex("^(?!test$)[a-z0-9][a-z0-9-]{0,39}$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    private sealed record Document
    {
        public List<Mailbox>? Mailboxes { get; init; }
    }
}
