using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>Whether a run in the journal is the one described now: a run that changes midway would give a result that nobody can explain.</summary>
internal static class SameRun
{
    /// <summary>Keys of the description that differ. The deadline, quorum and attempts decide nothing about content, but a plan fixed them: they too must stay.</summary>
    public static IReadOnlyList<string> Differences(RunState known, RunDefinition now, IReadOnlyList<ModelFile> model)
    {
        RunDefinition then = known.Definition;
        List<string> keys = [];
        Compare("after", then.After, now.After);
        Compare("method.name", then.Method, now.Method);
        CompareAll("method", then.MethodOptions, now.MethodOptions);
        CompareAll("sites", then.Sites, now.Sites);
        Compare("cohort", then.Cohort, now.Cohort);
        Compare("quorum", then.Quorum, now.Quorum);
        Compare("deadline", then.DeadlineMilliseconds, now.DeadlineMilliseconds);
        Compare("rounds", then.Rounds, now.Rounds);
        Compare("attempts", then.Attempts, now.Attempts);
        Compare("seed", then.Seed, now.Seed);
        Compare("norm_cap", then.NormCap, now.NormCap);
        Compare("adapter", Convert.ToHexString(Records.Encode(then.Adapter)), Convert.ToHexString(Records.Encode(now.Adapter)));
        Compare("training", Convert.ToHexString(Records.Encode(then.Training)), Convert.ToHexString(Records.Encode(now.Training)));
        CompareAll("model", known.Model.Select(Text), model.Select(Text));
        return keys;

        void Compare<T>(string key, T before, T after)
        {
            if (!EqualityComparer<T>.Default.Equals(before, after))
                keys.Add(key);
        }

        void CompareAll<T>(string key, IEnumerable<T> before, IEnumerable<T> after)
        {
            if (!before.SequenceEqual(after))
                keys.Add(key);
        }
    }

    private static string Text(ModelFile file) => $"{file.Name} {Convert.ToHexString(file.Content.Sha256)}";
}
