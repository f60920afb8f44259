using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;
using Google.Protobuf;

namespace Federated.Coordinator.Endpoints;

/// <summary>Writes down where runs stand, for those who watch.</summary>
internal sealed class SnapshotBuilder(RunRegistry runs, SiteHub hub)
{
    /// <summary>A snapshot of the named runs; of all when none is named.</summary>
    public CoordinatorSnapshot Build(IReadOnlyCollection<string> names)
    {
        CoordinatorSnapshot snapshot = new();
        snapshot.Runs.Add(runs.All.Where(run => names.Count == 0 || names.Contains(run.Run)).Select(run => Of(run.State)));
        return snapshot;
    }

    private RunSnapshot Of(RunState state)
    {
        RunSnapshot run = new()
        {
            Run = state.Definition.Run,
            Method = state.Definition.Method,
            Phase = state.Phase,
            Round = (uint)(state.Open?.Plan.Round ?? state.History.Count),
            Rounds = (uint)state.Definition.Rounds,
            Detail = state.Detail,
            AdapterSha256 = UnsafeByteOperations.UnsafeWrap(state.Global.Sha256),
        };
        run.Sites.Add(state.Definition.Sites.Select(site => Of(state, site)));
        run.History.Add(state.History.Select((report, i) => Summary(report, state.Globals[i + 1])));
        return run;
    }

    private SiteSnapshot Of(RunState state, string site)
    {
        SiteSnapshot snapshot = new() { Site = site, Phase = Phase(state, site) };
        if (hub.Progress(state.Definition.Run, site) is { } progress && state.Open is { } open && progress.Round == open.Plan.Round)
        {
            snapshot.Step = progress.Step;
            snapshot.Steps = progress.Steps;
            snapshot.Loss = progress.Loss;
        }

        return snapshot;
    }

    private static SitePhase Phase(RunState state, string site) => state switch
    {
        { Open: { } open } when open.Accepted.ContainsKey(site) => SitePhase.Accepted,
        { Open: { } open } when open.Dropped.ContainsKey(site) => SitePhase.Dropped,
        _ when !state.Present.Contains(site) => SitePhase.Away,
        { Phase: RunPhase.Training, Open: { } open } when open.Cohort.Contains(site, StringComparer.Ordinal) => SitePhase.Training,
        _ => SitePhase.Idle,
    };

    private static RoundSummary Summary(RoundReport report, BlobReference global)
    {
        SiteReport[] counted = [.. report.Sites.Where(site => site.Metrics is not null)];
        SiteReport[] heldOut = [.. counted.Where(site => site.Metrics!.HoldoutExamples > 0)];
        RoundSummary summary = new()
        {
            Round = (uint)report.Round,
            Seconds = report.Seconds,
            TrainingLoss = Mean(counted, site => site.Examples, site => site.Metrics!.TrainingLoss),
            HoldoutLoss = Mean(heldOut, site => site.Metrics!.HoldoutExamples, site => site.Metrics!.HoldoutLoss),
            HoldoutAccuracy = Mean(heldOut, site => site.Metrics!.HoldoutExamples, site => site.Metrics!.HoldoutAccuracy),
            AdapterSha256 = UnsafeByteOperations.UnsafeWrap(global.Sha256),
        };
        summary.Sites.Add(report.Sites.Select(site => new SiteRound
        {
            Site = site.Site,
            Examples = site.Examples,
            TrainingLoss = site.Metrics?.TrainingLoss ?? 0,
            HoldoutAccuracy = site.Metrics?.HoldoutAccuracy ?? 0,
            BytesReceived = site.BytesReceived,
            BytesSent = site.BytesSent,
        }));
        foreach (NamedNumber diagnostic in report.Diagnostics)
            summary.Diagnostics.Add(diagnostic.Name, diagnostic.Value);
        return summary;
    }

    private static double Mean(SiteReport[] sites, Func<SiteReport, double> weight, Func<SiteReport, double> value)
    {
        double total = sites.Sum(weight);
        return total > 0 ? sites.Sum(site => weight(site) * value(site)) / total : 0;
    }
}
