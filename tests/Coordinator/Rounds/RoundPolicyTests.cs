using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Tests.Rounds;

public sealed class RoundPolicyTests
{
    [Fact]
    public void Arrive_QuorumOfTheCohort_OpensTheFirstRoundAndTellsThoseWhoAreHere()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(sites: 3, quorum: 2)).Happens(new Resumed(NoTraffic)).Arrive("s2");
        Assert.Equal(RunPhase.Waiting, run.State.Phase);
        Assert.Contains("1 of the 2", run.State.Detail, StringComparison.Ordinal);

        run.Arrive("s0");

        RoundOpened opened = Assert.IsType<RoundOpened>(Assert.Single(run.Records));
        Assert.Equal(["s0", "s1", "s2"], opened.Cohort);
        Assert.Equal((1, 1, 600_000L), (opened.Plan.Round, opened.Plan.Attempt, opened.Remaining));
        Assert.Equal(["s0", "s2"], run.Effects.OfType<SendPlan>().Select(e => e.Site));
    }

    [Fact]
    public void Arrive_AfterTheRoundOpened_GetsThePlan()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(sites: 3, quorum: 2)).Arrive("s0", "s1", "s2");
        Assert.Equal(["s2"], run.Effects.OfType<SendPlan>().Select(e => e.Site));

        run.Happens(new SiteLeft("s0")).Arrive("s0");
        Assert.Equal(["s0"], run.Effects.OfType<SendPlan>().Select(e => e.Site));
    }

    [Fact]
    public void Arrive_AfterItsUpdateWasAccepted_GetsNothing()
    {
        PolicyRun run = Opened();
        run.Offer("s0");
        run.Happens(new SiteLeft("s0")).Arrive("s0");
        Assert.Empty(run.Effects);
    }

    [Fact]
    public void Offer_All_ClosesAtOnceAndAggregates()
    {
        PolicyRun run = Opened();
        Assert.Equal(UpdateVerdict.Accepted, run.Offer("s0"));
        Assert.Equal(UpdateVerdict.Accepted, run.Offer("s1"));
        Assert.DoesNotContain(run.Effects, e => e is RunAggregation);
        Assert.Equal(UpdateVerdict.Accepted, run.Offer("s2"));
        Assert.Contains(run.Effects, e => e is RunAggregation);
        Assert.Equal(RunPhase.Aggregating, run.State.Phase);
    }

    [Fact]
    public void Offer_Quorum_WaitsForTheOthersUntilTheDeadline()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(quorum: 2)).Arrive("s0", "s1", "s2");
        run.Offer("s0");
        run.Offer("s1");
        run.Now = TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1);
        run.Happens(new TimePassed());
        Assert.Equal(RunPhase.Training, run.State.Phase);

        run.Now = TimeSpan.FromMinutes(10);
        run.Happens(new TimePassed());
        Assert.Equal(RunPhase.Aggregating, run.State.Phase);
        Assert.Equal([new SendClosed("s2", 1, 1), new RunAggregation()], run.Effects);
    }

    [Fact]
    public void Deadline_BelowQuorum_AbortsAndOpensAnotherAttemptForThoseWhoAreHere()
    {
        PolicyRun run = Opened();
        run.Offer("s0", content: 42);
        run.Now = TimeSpan.FromMinutes(10);
        run.Happens(new TimePassed());

        Assert.Equal([typeof(RoundAborted), typeof(RoundOpened)], run.Records.Select(r => r.GetType()));
        Assert.Equal((1, 2), (run.State.Open!.Plan.Round, run.State.Open.Plan.Attempt));
        Assert.Equal(42, Assert.Single(Assert.Single(run.Effects.OfType<ReleaseUpdates>()).Updates).Sha256[0]);
        Assert.Equal(["s1", "s2"], run.Effects.OfType<SendClosed>().Select(e => e.Site));
        Assert.Equal(3, run.Effects.OfType<SendPlan>().Count(e => e.Plan.Attempt == 2));
        Assert.Equal(TimeSpan.FromMinutes(20), run.State.Open.ClosesAt);
    }

    [Fact]
    public void Abort_NobodyHere_WaitsInsteadOfBurningAttempts()
    {
        PolicyRun run = Opened().Happens(new SiteLeft("s0"), new SiteLeft("s1"), new SiteLeft("s2"));
        run.Now = TimeSpan.FromMinutes(10);
        run.Happens(new TimePassed());
        Assert.Equal(RunPhase.Waiting, run.State.Phase);
        Assert.IsType<RoundAborted>(Assert.Single(run.Records));

        run.Arrive("s0", "s1", "s2");
        Assert.Equal(2, run.State.Open!.Plan.Attempt);
    }

    [Fact]
    public void Abort_LastAttempt_FailsTheRunAndSaysWhy()
    {
        PolicyRun run = Opened();
        foreach (int minutes in (int[])[10, 20])
        {
            run.Now = TimeSpan.FromMinutes(minutes);
            run.Happens(new TimePassed());
        }

        Assert.Equal(RunPhase.Failed, run.State.Phase);
        Assert.Contains("round 1 failed 2 times", run.State.Detail, StringComparison.Ordinal);
        Assert.Contains("0 of 3 updates", run.State.Detail, StringComparison.Ordinal);
        Assert.Equal(3, run.Effects.OfType<SendFinished>().Count());
        Assert.Contains(run.Effects, e => e is FinishRun);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Failed_Site_AbortsOnlyWhenTheQuorumIsOutOfReach(int failures, bool open)
    {
        PolicyRun run = new PolicyRun(Runs.Definition(quorum: 2)).Arrive("s0", "s1", "s2");
        for (int i = 0; i < failures; i++)
            run.Happens(new SiteFailed($"s{i}", 1, 1));
        Assert.Equal(open, run.State.Open!.Plan.Attempt == 1);
    }

    [Fact]
    public void Failed_LastAwaitedSite_ClosesTheRound()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(quorum: 2)).Arrive("s0", "s1", "s2");
        run.Offer("s0");
        run.Offer("s1");
        run.Happens(new UpdateRefused("s2", 1, 1, RejectReason.NotFinite));
        Assert.Contains(run.Effects, e => e is RunAggregation);

        run.Aggregate(60);
        SiteReport refused = Assert.Single(run.State.History[0].Sites, site => site.Dropped.Length > 0);
        Assert.Equal(("s2", "NOT_FINITE"), (refused.Site, refused.Dropped));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    public void Failed_OfAnotherRoundOrAttempt_ChangesNothing(int round, int attempt)
    {
        PolicyRun run = Opened().Happens(new SiteFailed("s0", round, attempt));
        Assert.Empty(run.State.Open!.Dropped);
    }

    [Fact]
    public void Offer_AfterAFailure_CountsAfterAll()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(quorum: 1)).Arrive("s0", "s1", "s2").Happens(new SiteFailed("s0", 1, 1));
        Assert.Equal(UpdateVerdict.Accepted, run.Offer("s0"));
        Assert.Empty(run.State.Open!.Dropped);
    }

    [Fact]
    public void Offer_SameAgain_IsADuplicateAndWritesNothing()
    {
        PolicyRun run = Opened();
        run.Offer("s0");
        Assert.Equal(UpdateVerdict.Known, run.Offer("s0"));
        Assert.Empty(run.Records);
    }

    [Fact]
    public void Offer_AnotherUnderTheSameKey_IsRefusedAndKeptAsEvidence()
    {
        PolicyRun run = Opened();
        run.Offer("s0", content: 50);
        Assert.Equal(RejectReason.ConflictingUpdate, run.Offer("s0", content: 51).Reason);
        ConflictEvidence evidence = Assert.IsType<ConflictEvidence>(Assert.Single(run.Records));
        Assert.Equal((50, 51), (evidence.Accepted[0], evidence.Offered.Content.Sha256[0]));
        Assert.Equal(50, run.State.Open!.Accepted["s0"].Manifest.Content.Sha256[0]);
    }

    [Theory]
    [InlineData(2, 1, RejectReason.WrongAttempt)]
    [InlineData(1, 2, RejectReason.WrongAttempt)]
    public void Offer_ForTheFuture_IsRefused(int round, int attempt, RejectReason expected) =>
        Assert.Equal(expected, Opened().Offer("s0", round, attempt).Reason);

    [Fact]
    public void Offer_WhileAggregatingAndAfter_IsLate()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(quorum: 2)).Arrive("s0", "s1", "s2");
        run.Offer("s0");
        run.Offer("s1");
        run.Now = TimeSpan.FromMinutes(10);
        run.Happens(new TimePassed());
        Assert.Equal(RejectReason.RoundClosed, run.Offer("s2").Reason);
        run.Aggregate(60);
        Assert.Equal(RejectReason.RoundClosed, run.Offer("s2").Reason);
        Assert.Equal("LATE", run.State.History[0].Sites[2].Dropped);
    }

    [Fact]
    public void Offer_OfAStranger_IsRefused()
    {
        Assert.Equal(RejectReason.NotInCohort, Opened().Offer("s9").Reason);
        PolicyRun drawn = new PolicyRun(Runs.Definition(sites: 3, cohort: 2)).Arrive("s0", "s1", "s2");
        string left = Assert.Single(drawn.State.Definition.Sites, site => !drawn.State.Open!.Cohort.Contains(site));
        Assert.Equal(RejectReason.NotInCohort, drawn.Offer(left).Reason);
    }

    [Fact]
    public void AggregateDone_CommitsAndOpensTheNextRoundInOneTransaction()
    {
        PolicyRun run = Closed();
        run.Now = TimeSpan.FromSeconds(90);
        run.Aggregate(60);

        Assert.Equal([typeof(RoundCommitted), typeof(RoundOpened)], run.Records.Select(r => r.GetType()));
        RoundPlan plan = run.State.Open!.Plan;
        Assert.Equal((2, 1, 60), (plan.Round, plan.Attempt, plan.Global.Sha256[0]));
        Assert.Equal((5, 10), (plan.Training.StepOffset, plan.Training.TotalSteps));
        RoundReport report = Assert.Single(run.State.History);
        Assert.Equal((90, 11, 22), (report.Seconds, report.Sites[0].BytesReceived, report.Sites[0].BytesSent));
        Assert.Equal(3, Assert.Single(run.Effects.OfType<ReleaseUpdates>()).Updates.Count);
        Assert.Equal([60], run.State.RuleState!);
    }

    [Fact]
    public void AggregateDone_LastRound_FinishesTheRun()
    {
        PolicyRun run = Closed();
        run.Aggregate(60);
        foreach (string site in (string[])["s0", "s1", "s2"])
            run.Offer(site, round: 2);
        run.Aggregate(61);

        Assert.Equal([typeof(RoundCommitted), typeof(RunEnded)], run.Records.Select(r => r.GetType()));
        Assert.Equal((RunPhase.Finished, 61), (run.State.Phase, run.State.Global.Sha256[0]));
        Assert.Equal([1, 60, 61], run.State.Globals.Select(global => (int)global.Sha256[0]));

        run.Arrive("s0");
        Assert.Equal([new SendFinished("s0")], run.Effects);
    }

    [Fact]
    public void AggregateFailed_BlamingASite_GoesOnWithoutItWhileAQuorumIsLeft()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(quorum: 2)).Arrive("s0", "s1", "s2");
        foreach (string site in (string[])["s0", "s1", "s2"])
            run.Offer(site);

        run.Happens(new AggregateFailed("does not fit", "s1"));
        Assert.Contains(run.Effects, e => e is RunAggregation);
        Assert.Equal(["s0", "s2"], run.State.Open!.Accepted.Keys);

        run.Happens(new AggregateFailed("does not fit", "s0"));
        Assert.Equal(2, run.State.Open!.Plan.Attempt);
        Assert.Contains("does not fit", Assert.IsType<RoundAborted>(run.Records[0]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void After_AnotherRun_WaitsUntilThatHasEnded()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(after: "first")).Arrive("s0", "s1", "s2");
        Assert.Equal((RunPhase.Waiting, "waiting for run 'first' to end"), (run.State.Phase, run.State.Detail));
        run.Happens(new PredecessorEnded());
        Assert.Equal(RunPhase.Training, run.State.Phase);
    }

    [Fact]
    public void Replay_AnyPrefixOfTheJournal_GivesTheStateThatWasThere()
    {
        PolicyRun run = new(Runs.Definition(quorum: 2));
        List<(int Records, RunState State)> steps = [(1, run.State)];
        foreach (Action step in (Action[])
        [
            () => run.Arrive("s0", "s1", "s2"), () => run.Offer("s0"), () => run.Offer("s1"), () => run.Offer("s2"), () => run.Aggregate(60),
            () => run.Offer("s1", round: 2), () => run.Happens(new SiteFailed("s0", 2, 1), new SiteFailed("s2", 2, 1)), () => run.Offer("s1", 2, 2),
            () => run.Offer("s2", 2, 2), () => run.Offer("s0", 2, 2), () => run.Aggregate(61),
        ])
        {
            step();
            steps.Add((run.Journal.Count, run.State));
        }

        foreach ((int records, RunState live) in steps)
        {
            RunState replayed = RunState.From((RunCreated)run.Journal[0]);
            foreach (IRunRecord record in run.Journal.Take(records).Skip(1).Cast<IRunRecord>())
                replayed = replayed.Apply(record, TimeSpan.Zero);

            Assert.Equal(live.Global, replayed.Global);
            Assert.Equal(live.History.Count, replayed.History.Count);
            Assert.Equal(live.Attempt, replayed.Attempt);
            Assert.Equal((live.Open?.Plan.Round, live.Open?.Plan.Attempt), (replayed.Open?.Plan.Round, replayed.Open?.Plan.Attempt));
            Assert.Equal(live.Open?.Accepted.Keys ?? [], replayed.Open?.Accepted.Keys ?? []);
            Assert.Equal(live.Ended, replayed.Ended);
        }
    }

    [Fact]
    public void Resumed_EachPlaceToStand_GoesOnThere()
    {
        PolicyRun closed = Closed();
        RunState aggregating = closed.State;
        Assert.Equal([new RunAggregation()], RoundPolicy.Decide(aggregating, new Resumed(NoTraffic), default).Effects);

        // After a crash the phase is not known, only that all updates are there.
        RunState replayed = aggregating with { Phase = RunPhase.Training };
        Assert.Contains(RoundPolicy.Decide(replayed, new Resumed(NoTraffic), default).Effects, e => e is RunAggregation);

        AggregateWritten written = new() { Run = "mail", Round = 1, Attempt = 1, Global = Runs.Blob(60), RuleState = null, Diagnostics = [] };
        RunDecision committed = RoundPolicy.Decide(replayed.Apply(written, default), new Resumed(NoTraffic), default);
        Assert.Equal([typeof(RoundCommitted), typeof(RoundOpened)], committed.Records.Select(r => r.GetType()));
    }

    private static Dictionary<string, SiteTraffic> NoTraffic => [];

    private static PolicyRun Opened() => new PolicyRun(Runs.Definition()).Arrive("s0", "s1", "s2");

    private static PolicyRun Closed()
    {
        PolicyRun run = Opened();
        foreach (string site in (string[])["s0", "s1", "s2"])
            run.Offer(site);
        return run;
    }
}
