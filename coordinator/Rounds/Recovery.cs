using System.Collections.Immutable;
using Federated.Coordinator.Endpoints;
using Federated.Coordinator.RunFiles;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>From the journal to running loops: replay, check that every blob is here, delete what no record names, create the runs that are new.</summary>
internal sealed class Recovery(RunServices services, ModelFolders models, SiteRegistrations sites)
{
    private readonly Dictionary<string, RunState> _states = new(StringComparer.Ordinal);

    /// <summary>Prepares a loop for each of <paramref name="files"/>.</summary>
    /// <exception cref="StoreCorruptException">The journal or a blob that it needs is damaged or gone.</exception>
    /// <exception cref="RunFileException">A run in the journal is described differently now.</exception>
    public IReadOnlyList<RunLoop> Start(IReadOnlyList<RunFile> files)
    {
        Replay();
        foreach (RunState state in _states.Values)
            Hold(state);
        int leftovers = services.Blobs.DeleteLeftovers();
        if (leftovers > 0)
            services.Log.LogInformation("deleted {Count} files that no record names", leftovers);

        foreach (RunState state in _states.Values.ToArray())
            _states[state.Definition.Run] = Check(state);
        WarnOfRunsWithoutFile(files);

        List<RunLoop> loops = [.. files.Select(Prepare)];
        return loops;
    }

    private void Replay()
    {
        int records = 0;
        foreach (IJournalRecord record in services.Journal.ReadAll())
        {
            records++;
            switch (record)
            {
                case RunCreated created:
                    _states[created.Run] = RunState.From(created);
                    break;
                case IRunRecord fact when _states.TryGetValue(fact.Run, out RunState? state):
                    _states[fact.Run] = state.Apply(fact, TimeSpan.Zero);
                    break;
                case SiteJoined joined:
                    sites.Restore(joined);
                    break;
                case IRunRecord fact:
                    throw new StoreCorruptException($"The journal tells of run '{fact.Run}' before its creation. Restore the state folder from a backup.");
            }
        }

        if (records > 0)
            services.Log.LogInformation("journal read: {Records} records, {Runs} runs", records, _states.Count);
    }

    private void Hold(RunState state)
    {
        foreach (BlobReference global in state.Globals)
            services.Blobs.Hold(new(global.Sha256));
        foreach (UpdateAccepted update in state.Open?.Accepted.Values ?? [])
            services.Blobs.Hold(new(update.Manifest.Content.Sha256));
        if (state.Open?.Aggregate is { } aggregate)
            services.Blobs.Hold(new(aggregate.Global.Sha256));
    }

    /// <summary>The content that the run still needs: the newest global adapter must be right; an update or aggregate that is damaged costs its attempt.</summary>
    private RunState Check(RunState state)
    {
        string run = state.Definition.Run;
        if (!IsWhole(state.Global))
        {
            throw new StoreCorruptException(
                $"Run '{run}': the global adapter of round {state.History.Count} ({new ContentHash(state.Global.Sha256)}) is missing or damaged. Restore the state folder from a backup.");
        }

        if (state.Open is not { } open)
            return state;

        IEnumerable<BlobReference> needed = open.Accepted.Values.Select(update => update.Manifest.Content);
        if (open.Aggregate is { } aggregate)
            needed = needed.Append(aggregate.Global);
        if (needed.All(IsWhole))
        {
            TimeSpan left = TimeSpan.FromTicks(Math.Max(open.ClosesAt.Ticks, RunState.GraceAfterStart.Ticks));
            return state with { Open = open with { ClosesAt = left } };
        }

        services.Log.LogError("run {Run}, round {Round}: an accepted update on the disk is damaged; the attempt is given up", run, open.Plan.Round);
        RoundAborted abort = new() { Run = run, Round = open.Plan.Round, Attempt = open.Plan.Attempt, Reason = "DIGEST: an accepted update on the disk is damaged" };
        services.Journal.Append([abort]);
        foreach (UpdateAccepted update in open.Accepted.Values)
            services.Blobs.Release(new(update.Manifest.Content.Sha256));
        return state.Apply(abort, TimeSpan.Zero);
    }

    private bool IsWhole(BlobReference blob)
    {
        ContentHash hash = new(blob.Sha256);
        if (services.Blobs.Length(hash) != blob.Length)
            return false;

        using FileStream file = File.OpenRead(services.Blobs.PathOf(hash));
        return ContentHash.Of(file) == hash;
    }

    private RunLoop Prepare(RunFile file)
    {
        ModelFolder model = models.Read(file.ModelFolder);
        string run = file.Definition.Run;
        if (_states.TryGetValue(run, out RunState? state))
        {
            if (SameRun.Differences(state, file.Definition, model.Files) is { Count: > 0 } differences)
            {
                throw new RunFileException(
                [
                    .. differences.Select(key =>
                        $"{key}: differs from what run '{run}' began with. Put it back, or give the changed run another name (key 'run')."),
                ]);
            }
        }
        else
        {
            state = Create(file, model);
        }

        bool waits = file.Definition.After is { } predecessor && _states.GetValueOrDefault(predecessor) is not { Ended: true };
        RoundAggregator aggregator = new(file.Rule, services.Blobs, services.Journal, services.FailPoints);
        if (state.Ended)
            services.Exporter.Export(state);
        return new(services, aggregator, state with { MayBegin = !waits });
    }

    private RunState Create(RunFile file, ModelFolder model)
    {
        using BlobWriter writer = services.Blobs.Begin(0);
        using (BlobStream stream = new(writer))
            InitialAdapter.Write(stream, file.ModelFolder, file.Definition);

        ContentHash hash = writer.Commit();
        RunCreated record = new()
        {
            Run = file.Definition.Run,
            Definition = file.Definition,
            Model = model.Files,
            Global = new() { Sha256 = hash.ToArray(), Length = writer.Length },
        };
        services.Journal.Append([record]);
        return RunState.From(record);
    }

    private void WarnOfRunsWithoutFile(IReadOnlyList<RunFile> files)
    {
        foreach (string run in _states.Keys.Except(files.Select(file => file.Definition.Run), StringComparer.Ordinal))
            services.Log.LogWarning("the journal has run {Run}, whose description was not given (--run): it rests", run);
    }
}
