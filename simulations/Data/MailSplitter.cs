using Federated.Shared.Randomness;

namespace Federated.Simulations.Data;

/// <summary>Deals whole groups of near-duplicates to test, pretraining and training, so that no group is in two of them.</summary>
/// <remarks>
/// Groups are taken in the order of a hash of their first mail's id and dealt to the first split that still wants their folder, so that
/// a change to one mail's text leaves nearly all others where they were. Only groups of one folder and at
/// most <see cref="LargestDealtGroup"/> mails go to test or pretraining; a bulk mailing of fifty copies would otherwise fill a quota.
/// </remarks>
public static class MailSplitter
{
    /// <summary>Largest group that may leave the training split.</summary>
    public const int LargestDealtGroup = 4;

    private const ulong Seed = 20020822;

    /// <summary>Chooses a split for each mail.</summary>
    /// <param name="ids">Id of each mail.</param>
    /// <param name="folders">Folder of each mail.</param>
    /// <param name="groups">Group of each mail, as <see cref="NearDuplicates.Group"/> gives it.</param>
    /// <param name="quotas">How many mails of each folder test and pretraining get.</param>
    /// <returns>Split of each mail.</returns>
    /// <exception cref="InvalidDataException">A folder has too few mails for the quotas.</exception>
    public static string[] Split(IReadOnlyList<string> ids, IReadOnlyList<string> folders, int[] groups, MailQuotas quotas)
    {
        string[] splits = new string[folders.Count];
        Array.Fill(splits, MailSplits.Train);
        List<int[]> dealt =
        [
            .. Enumerable.Range(0, folders.Count).GroupBy(mail => groups[mail]).Select(group => group.ToArray())
                .OrderBy(group => Place(ids[group[0]])).ThenBy(group => group[0]),
        ];
        Deal(dealt, folders, quotas.Test, MailSplits.Test, splits);
        Deal(dealt, folders, quotas.Pretrain, MailSplits.Pretrain, splits);
        return splits;
    }

    private static ulong Place(string id)
    {
        ulong hash = Seed;
        foreach (char c in id)
            hash = new SplitMix64(hash ^ c).NextUInt64();

        return hash;
    }

    private static void Deal(List<int[]> groups, IReadOnlyList<string> folders, IReadOnlyDictionary<string, int> quota, string split, string[] splits)
    {
        Dictionary<string, int> wanted = new(quota);
        foreach (int[] group in groups)
        {
            string folder = folders[group[0]];
            bool fits = group.Length <= Math.Min(LargestDealtGroup, wanted.GetValueOrDefault(folder)) && splits[group[0]] == MailSplits.Train
                && group.All(mail => folders[mail] == folder);
            if (!fits)
                continue;

            wanted[folder] -= group.Length;
            foreach (int mail in group)
                splits[mail] = split;
        }

        foreach ((string folder, int missing) in wanted)
        {
            if (missing > 0)
            {
                throw new InvalidDataException(
                    $"Folder '{folder}' lacks {missing} mails for the '{split}' split of {quota[folder]}. Is the corpus complete? " +
                    "The preparer needs all five folders of the SpamAssassin public corpus.");
            }
        }
    }
}

/// <summary>How many mails of each folder leave the training split.</summary>
/// <param name="Test">Mails a folder for the test set; as many spam as ham.</param>
/// <param name="Pretrain">Mails a folder for pretraining.</param>
public sealed record MailQuotas(IReadOnlyDictionary<string, int> Test, IReadOnlyDictionary<string, int> Pretrain)
{
    /// <summary>
    /// 250 ham and 250 spam for the test, each folder with its natural share but hard ham with nearly twice its own, so that it counts;
    /// 2,570 mails for pretraining, mostly ham, since spam is what the clients have little of.
    /// </summary>
    public static MailQuotas Default { get; } = new(
        new Dictionary<string, int> { ["easy-ham-1"] = 144, ["easy-ham-2"] = 80, ["hard-ham-1"] = 26, ["spam-1"] = 66, ["spam-2"] = 184 },
        new Dictionary<string, int> { ["easy-ham-1"] = 1600, ["easy-ham-2"] = 660, ["hard-ham-1"] = 40, ["spam-1"] = 70, ["spam-2"] = 200 });
}
