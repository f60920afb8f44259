using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;
using Google.Protobuf;

namespace Federated.Coordinator.Endpoints;

/// <summary>Writes down where runs stand, for those who watch.</summary>
/// <remarks>A long run of many sites has more history than a message holds: the newest rounds are shown, as many as fit. The journal has them all.</remarks>
internal sealed class SnapshotBuilder(RunRegistry runs, SiteHub hub)
{
    /// <summary>Largest message of a watch; what clients accept when nobody told them otherwise.</summary>
    public const int MessageBytes = 4 * 1024 * 1024;

    /// <summary>History in one snapshot, over all runs.</summary>
    private const int HistoryBytes = 1024 * 1024;

    /// <summary>A snapshot of the named runs; of all when none is named.</summary>
    public CoordinatorSnapshot Build(IReadOnlyCollection<string> names)
    {
        CoordinatorSnapshot snapshot = new();
        RunLoop[] shown = [.. runs.All.Where(run => names.Count == 0 || names.Contains(run.Run))];
        snapshot.Runs.Add(shown.Select(run => Of(run.State, HistoryBytes / shown.Length)));
        return snapshot;
    }

    private RunSnapshot Of(RunState state, int historyBytes)
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
        run.History.Add(Newest(state, historyBytes));
        return run;
    }

    private static Stack<RoundSummary> Newest(RunState state, int bytes)
    {
        Stack<RoundSummary> newest = new();
        for (int i = state.History.Count - 1; i >= 0 && bytes > 0; i--)
        {
            RoundSummary summary = Summary(state.History[i], state.Globals[i + 1]);
            bytes -= summary.CalculateSize();
            newest.Push(summary);
        }

        return newest;
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
            HoldoutLoss = site.Metrics?.HoldoutLoss ?? 0,
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
