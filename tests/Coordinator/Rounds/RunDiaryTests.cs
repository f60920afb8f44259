using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Tests.Rounds;

public sealed class RunDiaryTests
{
    private readonly Lines _log = new();

    [Fact]
    public void Tell_ACommittedRound_NamesItsUpdatesLossAndWhoIsMissing()
    {
        // (10 * 0.5 + 30 * 0.9) / 40 = 0.8
        Tell(new RoundCommitted { Run = "mail", Report = Report(Site("s0", 10, 0.5), Site("s1", 30, 0.9), Dropped("s2", "LATE")), Global = Runs.Blob(2), RuleState = null });

        Assert.Equal(["Information run mail: round 1 of 2 is committed after 12.3 s: 2 updates, training loss 0.800; without s2 (LATE)"], _log.Said);
    }

    [Theory]
    [InlineData("ham,spam", "hold-out accuracy at its start 75.0 %")]
    [InlineData("", "hold-out perplexity at its start 7.39")]
    public void Tell_ACommittedRoundWithHoldOuts_GivesWhatFitsTheTask(string labels, string told)
    {
        // Of 4 held-out examples 3 have a loss of 2.5 and all right, 1 a loss of 0.5 and none: mean 2, accuracy 0.75; e^2 = 7.389.
        RunDefinition run = Runs.Definition() with { Training = Runs.Definition().Training with { Labels = labels.Split(',', StringSplitOptions.RemoveEmptyEntries) } };
        RoundReport report = Report(HeldOut("s0", 3, 2.5, 1), HeldOut("s1", 1, 0.5, 0));
        RunDiary.Tell(_log, run, [new RoundCommitted { Run = "mail", Report = report, Global = Runs.Blob(2), RuleState = null }]);

        Assert.Contains(told, Assert.Single(_log.Said), StringComparison.Ordinal);
    }

    [Fact]
    public void Tell_AnOpenedRound_NamesItsAttemptAndSites()
    {
        RunDefinition run = Runs.Definition();
        Tell(new RoundOpened { Run = "mail", Plan = PlanFactory.Create(run, [], Runs.Blob(1), round: 2, attempt: 1), Cohort = ["s0", "s1"], Remaining = 1 });

        Assert.Equal(["Information run mail: round 2 of 2, attempt 1, is open for 2 sites"], _log.Said);
    }

    [Fact]
    public void Tell_WhatWentWrong_IsAWarningOrAnErrorWithItsReason()
    {
        Tell(
            new RoundAborted { Run = "mail", Round = 1, Attempt = 2, Reason = "QUORUM: 1 of 3" },
            new ConflictEvidence { Offered = Runs.Manifest("s1"), Accepted = new byte[32] },
            new RunEnded { Run = "mail", Succeeded = false, Detail = "round 1 found no quorum" });

        Assert.Equal(
            [
                "Warning run mail: round 1, attempt 2, ended without a result: QUORUM: 1 of 3",
                "Warning run mail: site s1 sent a second, different update for round 1; the first stands",
                "Error run mail: failed: round 1 found no quorum",
            ],
            _log.Said);
    }

    [Fact]
    public void Tell_SingleUpdates_AreNotWorthALine()
    {
        Tell(new UpdateAccepted { Manifest = Runs.Manifest("s0"), Remaining = 1, Norm = 1 });

        Assert.Empty(_log.Said);
    }

    private void Tell(params IRunRecord[] records) => RunDiary.Tell(_log, Runs.Definition(), records);

    private static RoundReport Report(params SiteReport[] sites) => new() { Round = 1, Attempt = 1, Seconds = 12.34, Sites = sites, Diagnostics = [] };

    private static SiteReport Site(string name, long examples, double loss) => new()
    {
        Site = name,
        Dropped = "",
        Examples = examples,
        Metrics = Runs.Manifest(name).Metrics with { TrainingLoss = loss },
        Norm = 1,
        BytesReceived = 1,
        BytesSent = 1,
    };

    private static SiteReport HeldOut(string name, long examples, double loss, double accuracy)
    {
        SiteReport site = Site(name, 10, 0.5);
        return site with { Metrics = site.Metrics! with { HoldoutExamples = examples, HoldoutLoss = loss, HoldoutAccuracy = accuracy } };
    }

    private static SiteReport Dropped(string name, string why) => Site(name, 0, 0) with { Dropped = why, Metrics = null };

    private sealed class Lines : ILogger
    {
        public List<string> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Add($"{logLevel} {formatter(state, exception)}");
    }
}
