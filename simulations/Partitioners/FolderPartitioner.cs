using Federated.Shared.Randomness;
using Federated.Simulations.Data;

namespace Federated.Simulations.Partitioners;

/// <summary>Gives each mailbox its share of each folder.</summary>
public static class FolderPartitioner
{
    /// <summary>Deals mails 0 to n − 1.</summary>
    /// <param name="folders">Folder of each mail.</param>
    /// <param name="table">Shares of the mailboxes.</param>
    /// <param name="seed">Which mails of a folder go where; equal seeds give equal partitions.</param>
    /// <returns>For each mailbox the indices of its mails, ascending; none is in two.</returns>
    /// <exception cref="InvalidDataException">A mailbox would stay empty.</exception>
    public static IReadOnlyList<int[]> Partition(IReadOnlyList<string> folders, MailboxTable table, ulong seed)
    {
        List<int>[] dealt = [.. table.Mailboxes.Select(_ => new List<int>())];
        SplitMix64 random = new(seed);
        foreach (string folder in MailFolders.All)
        {
            int[] mails = [.. Enumerable.Range(0, folders.Count).Where(mail => folders[mail] == folder)];
            random.Shuffle(mails.AsSpan());
            double running = 0;
            for (int i = 0; i < dealt.Length; i++)
            {
                int start = (int)Math.Round(running * mails.Length);
                running += table.Mailboxes[i].Shares.GetValueOrDefault(folder);
                dealt[i].AddRange(mails[start..Math.Min(mails.Length, (int)Math.Round(running * mails.Length))]);
            }
        }

        for (int i = 0; i < dealt.Length; i++)
        {
            if (dealt[i].Count == 0)
                throw new InvalidDataException($"Mailbox '{table.Mailboxes[i].Name}' gets no mail: its shares of the {folders.Count} training mails round to zero. Raise them.");
        }

        return [.. dealt.Select(mails => mails.Order().ToArray())];
    }
}
