using Federated.Coordinator.Rounds;

namespace Federated.Coordinator.RunFiles;

/// <summary>Whether several runs fit together: names differ, and <c>after</c> names a run without a circle.</summary>
internal static class RunOrder
{
    /// <summary>Checks <paramref name="runs"/>.</summary>
    public static void Check(IReadOnlyList<RunDefinition> runs, List<string> errors)
    {
        foreach (IGrouping<string, RunDefinition> twice in runs.GroupBy(run => run.Run, StringComparer.Ordinal).Where(group => group.Count() > 1))
            errors.Add($"run: '{twice.Key}' is described by {twice.Count()} files; give each run a name of its own.");
        if (errors.Count > 0)
            return;

        Dictionary<string, string?> after = runs.ToDictionary(run => run.Run, run => run.After, StringComparer.Ordinal);
        foreach (RunDefinition run in runs)
        {
            if (run.After is { } predecessor && !after.ContainsKey(predecessor))
                errors.Add($"after: run '{run.Run}' comes after '{predecessor}', which is not given; add its file (--run), or leave the key out.");
            else if (Circle(run.Run, after))
                errors.Add($"after: run '{run.Run}' waits for itself, directly or over others; break the circle.");
        }
    }

    private static bool Circle(string run, Dictionary<string, string?> after)
    {
        string? next = after[run];
        for (int i = 0; i < after.Count && next is not null; i++)
        {
            if (next == run)
                return true;
            next = after.GetValueOrDefault(next);
        }

        return false;
    }
}
