using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>The runs of this coordinator, by name.</summary>
internal sealed class RunRegistry
{
    private volatile IReadOnlyList<RunLoop> _runs = [];

    /// <summary>All runs in the order they were given.</summary>
    public IReadOnlyList<RunLoop> All => _runs;

    /// <summary>Sets the runs, once recovery is over; the end of each lets those after it begin.</summary>
    public void Set(IReadOnlyList<RunLoop> runs)
    {
        foreach (RunLoop run in runs)
        {
            RunLoop[] followers = [.. runs.Where(other => other.State.Definition.After == run.Run)];
            run.Ended = () => Array.ForEach(followers, follower => follower.Post(new PredecessorEnded()));
        }

        _runs = runs;
    }

    /// <summary>A run.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.NoSuchRun"/>.</exception>
    public RunLoop Get(string name) => Find(name)
        ?? throw new FederatedException(RejectReason.NoSuchRun,
            $"This coordinator has no run of that name (a name of {name.Length} characters). Compare it with the 'run' key of the run's description.");

    /// <summary>The runs that list a site, of those asked for; of all when none is asked for.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.NoSuchRun"/>, or <see cref="RejectReason.NotInCohort"/>: a run asked for does not list the site.</exception>
    public IReadOnlyList<RunLoop> Of(string site, IReadOnlyCollection<string> asked)
    {
        if (asked.Count == 0)
            return [.. _runs.Where(run => Lists(run, site))];

        List<RunLoop> own = [];
        foreach (string name in asked.Take(_runs.Count + 1))
        {
            RunLoop run = Get(name);
            if (!Lists(run, site))
                throw new FederatedException(RejectReason.NotInCohort, $"Run '{run.Run}' does not list site '{site}'. Ask its operator to add the site.");
            own.Add(run);
        }

        return own;
    }

    private RunLoop? Find(string name) => _runs.FirstOrDefault(run => string.Equals(run.Run, name, StringComparison.Ordinal));

    private static bool Lists(RunLoop run, string site) => run.State.Definition.Sites.Contains(site, StringComparer.Ordinal);
}
