using System.Globalization;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>Tells an operator, a line each, what became of a run's rounds: what is in the journal, no more.</summary>
internal static class RunDiary
{
    /// <summary>Logs the records that somebody who watches a run wants to know; those of single updates are in the round's line.</summary>
    /// <param name="log">Where to.</param>
    /// <param name="run">The run.</param>
    /// <param name="records">Records that are durable.</param>
    public static void Tell(ILogger log, RunDefinition run, IEnumerable<IRunRecord> records)
    {
        foreach (IRunRecord record in records)
        {
            switch (record)
            {
                case RoundOpened opened:
                    log.LogInformation(
                        "run {Run}: round {Round} of {Rounds}, attempt {Attempt}, is open for {Count} sites", run.Run, opened.Plan.Round, run.Rounds, opened.Plan.Attempt, opened.Cohort.Count);
                    break;
                case RoundCommitted committed:
                    Committed(log, run, committed.Report);
                    break;
                case RoundAborted aborted:
                    log.LogWarning("run {Run}: round {Round}, attempt {Attempt}, ended without a result: {Reason}", run.Run, aborted.Round, aborted.Attempt, aborted.Reason);
                    break;
                case ConflictEvidence conflict:
                    log.LogWarning(
                        "run {Run}: site {Site} sent a second, different update for round {Round}; the first stands", run.Run, conflict.Offered.Site, conflict.Offered.Round);
                    break;
                case RunEnded { Succeeded: true }:
                    log.LogInformation("run {Run}: finished", run.Run);
                    break;
                case RunEnded failed:
                    log.LogError("run {Run}: failed: {Detail}", run.Run, failed.Detail);
                    break;
            }
        }
    }

    private static void Committed(ILogger log, RunDefinition run, RoundReport report)
    {
        SiteReport[] counted = [.. report.Sites.Where(site => site.Metrics is not null)];
        string[] dropped = [.. report.Sites.Where(site => site.Dropped.Length > 0).Select(site => $"{site.Site} ({site.Dropped})")];
        double weight = counted.Sum(site => (double)site.Examples);
        double loss = counted.Sum(site => site.Examples * site.Metrics!.TrainingLoss) / weight;
        log.LogInformation(
            "run {Run}: round {Round} of {Rounds} is committed after {Seconds} s: {Count} updates, training loss {Loss}{Holdout}{Dropped}",
            run.Run, report.Round, run.Rounds, report.Seconds.ToString("0.0", CultureInfo.InvariantCulture), counted.Length,
            loss.ToString("0.000", CultureInfo.InvariantCulture), HoldOut(run, counted), dropped.Length == 0 ? "" : $"; without {string.Join(", ", dropped)}");
    }

    /// <summary>How the round's starting adapter did on the sites' hold-outs: a classifier by its accuracy, a language model by its perplexity.</summary>
    private static string HoldOut(RunDefinition run, SiteReport[] counted)
    {
        double examples = counted.Sum(site => (double)site.Metrics!.HoldoutExamples);
        if (examples == 0)
            return "";

        double Mean(Func<UpdateMetrics, double> value) => counted.Sum(site => site.Metrics!.HoldoutExamples * value(site.Metrics)) / examples;
        return run.Training.Labels.Count > 0
            ? string.Create(CultureInfo.InvariantCulture, $", hold-out accuracy at its start {100 * Mean(metrics => metrics.HoldoutAccuracy):0.0} %")
            : string.Create(CultureInfo.InvariantCulture, $", hold-out perplexity at its start {Math.Exp(Mean(metrics => metrics.HoldoutLoss)):0.00}");
    }
}
