using Federated.Coordinator.Sampling;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>How a run is decided: a pure function of state, event and time. It does nothing itself.</summary>
/// <remarks>
/// A round closes when every site of its cohort has answered, or at its deadline. With a quorum of updates it is aggregated,
/// otherwise aborted and tried again, up to the run's number of attempts. Closing early at the quorum would let the order
/// of arrival decide who counts. The first round, and a new attempt after an abort, open only once a quorum of the cohort
/// is present: an outage of the network must not burn the attempts.
/// </remarks>
internal static class RoundPolicy
{
    /// <summary>Code word of a site that said it cannot do its task.</summary>
    public const string Failed = "FAILED";

    /// <summary>Code word of a site that did not deliver before the deadline.</summary>
    public const string Late = "LATE";

    /// <summary>Decides.</summary>
    /// <param name="state">State before.</param>
    /// <param name="happened">Event.</param>
    /// <param name="now">Monotonic time of this process.</param>
    public static RunDecision Decide(RunState state, RunEvent happened, TimeSpan now) => happened switch
    {
        Resumed e => Resume(state, e, now),
        PredecessorEnded => TryOpen(RunDecision.None(state with { MayBegin = true }), now),
        SiteArrived e => Arrive(state, e.Site, now),
        SiteLeft e => RunDecision.None(state with { Present = state.Present.Remove(e.Site) }),
        SiteFailed e => Drop(state, e.Site, e.Round, e.Attempt, Failed, now),
        UpdateRefused e => Drop(state, e.Site, e.Round, e.Attempt, e.Reason.Word(), now),
        UpdateOffered e => Offer(state, e, now),
        TimePassed => Settle(RunDecision.None(state), now),
        AggregateDone e => Commit(RunDecision.None(state.Apply(e.Record, now)), e.Traffic, now),
        AggregateFailed e => Recover(state, e, now),
        _ => throw new ArgumentOutOfRangeException(nameof(happened), happened.GetType().Name, "No rule for this event."),
    };

    private static RunDecision Resume(RunState state, Resumed e, TimeSpan now) => state switch
    {
        { Ended: true } => RunDecision.None(state),
        { Open: null } => TryOpen(RunDecision.None(state), now),
        { Open.Aggregate: not null } => Commit(RunDecision.None(state), e.Traffic, now),
        { Phase: RunPhase.Aggregating } => RunDecision.None(state).Do(new RunAggregation()),
        _ => Settle(RunDecision.None(state), now),
    };

    private static RunDecision Arrive(RunState state, string site, TimeSpan now)
    {
        RunDecision decision = RunDecision.None(state with { Present = state.Present.Add(site) });
        if (state.Ended)
            return decision.Do(new SendFinished(site));
        if (state.Phase == RunPhase.Training && state.Open!.Awaited.Contains(site, StringComparer.Ordinal))
            return decision.Do(new SendPlan(site, state.Open.Plan));
        return state.Open is null ? TryOpen(decision, now) : decision;
    }

    private static RunDecision Offer(RunState state, UpdateOffered e, TimeSpan now)
    {
        UpdateManifest manifest = e.Manifest;
        if (Admission.Check(state, manifest) is { } verdict)
        {
            RunDecision refused = RunDecision.None(state).Do(new Answer(e.Ticket, verdict));
            return verdict.Reason == RejectReason.ConflictingUpdate
                ? refused.Record(new ConflictEvidence { Offered = manifest, Accepted = state.Open!.Accepted[manifest.Site].Manifest.Content.Sha256 }, now)
                : refused;
        }

        UpdateAccepted record = new() { Manifest = manifest, Remaining = state.Open!.Remaining(now), Norm = e.Norm };
        return Settle(RunDecision.None(state).Record(record, now).Do(new Answer(e.Ticket, UpdateVerdict.Accepted)), now);
    }

    private static RunDecision Drop(RunState state, string site, int round, int attempt, string word, TimeSpan now)
    {
        if (state is not { Phase: RunPhase.Training, Open: { } open } || !open.Is(round, attempt)
            || !open.Awaited.Contains(site, StringComparer.Ordinal))
        {
            return RunDecision.None(state);
        }

        return Settle(RunDecision.None(state with { Open = open with { Dropped = open.Dropped.Add(site, word) } }), now);
    }

    /// <summary>Closes the round when its time has come.</summary>
    private static RunDecision Settle(RunDecision decision, TimeSpan now)
    {
        if (decision.State is not { Phase: RunPhase.Training, Open: { } open })
            return decision;

        int quorum = decision.State.Definition.Quorum;
        bool over = !open.Awaited.Any() || now >= open.ClosesAt;
        if (over && open.Accepted.Count >= quorum)
        {
            return decision
                .Become(state => state with { Phase = RunPhase.Aggregating })
                .Do(open.Awaited.Select(site => new SendClosed(site, open.Plan.Round, open.Plan.Attempt)))
                .Do(new RunAggregation());
        }

        if (over || open.Cohort.Count - open.Dropped.Count < quorum)
        {
            return Abort(decision,
                $"{open.Accepted.Count} of {quorum} updates needed; failed or refused: {open.Dropped.Count}, missing: {open.Awaited.Count()}", now);
        }

        return decision;
    }

    private static RunDecision Abort(RunDecision decision, string reason, TimeSpan now)
    {
        OpenRound open = decision.State.Open!;
        (int round, int attempt) = (open.Plan.Round, open.Plan.Attempt);
        return TryOpen(
            decision
                .Record(new RoundAborted { Run = open.Plan.Run, Round = round, Attempt = attempt, Reason = reason }, now)
                .Do(open.Awaited.Select(site => new SendClosed(site, round, attempt)))
                .Do(new ReleaseUpdates([.. open.Accepted.Values.Select(update => update.Manifest.Content)])),
            now);
    }

    /// <summary>The rule blamed a site: go on without it when a quorum is left. It will blame the same site after a restart, so nothing of this is durable.</summary>
    private static RunDecision Recover(RunState state, AggregateFailed e, TimeSpan now)
    {
        if (state is not { Phase: RunPhase.Aggregating, Open: { } open })
            return RunDecision.None(state);
        if (e.Site is null || !open.Accepted.TryGetValue(e.Site, out UpdateAccepted? update))
            return Abort(RunDecision.None(state), $"aggregation failed: {e.Message}", now);

        OpenRound rest = open with { Accepted = open.Accepted.Remove(e.Site), Dropped = open.Dropped.SetItem(e.Site, RejectReason.BadTensorSet.Word()) };
        RunDecision decision = RunDecision.None(state with { Open = rest }).Do(new ReleaseUpdates([update.Manifest.Content]));
        return rest.Accepted.Count >= state.Definition.Quorum
            ? decision.Do(new RunAggregation())
            : Abort(decision, $"aggregation failed: {e.Message}", now);
    }

    private static RunDecision Commit(RunDecision decision, IReadOnlyDictionary<string, SiteTraffic> traffic, TimeSpan now)
    {
        RunState state = decision.State;
        OpenRound open = state.Open!;
        AggregateWritten aggregate = open.Aggregate!;
        RunDecision committed = decision
            .Record(new RoundCommitted
            {
                Run = open.Plan.Run,
                Report = Reports.Of(open, traffic, now),
                Global = aggregate.Global,
                RuleState = aggregate.RuleState,
            }, now)
            .Do(new ReleaseUpdates([.. open.Accepted.Values.Select(update => update.Manifest.Content)]));
        return committed.State.History.Count < state.Definition.Rounds
            ? Open(committed, now)
            : End(committed, succeeded: true, $"{state.Definition.Rounds} rounds committed", now);
    }

    /// <summary>Opens the next round, if the run may begin, has attempts left, and a quorum of the cohort is here.</summary>
    private static RunDecision TryOpen(RunDecision decision, TimeSpan now)
    {
        RunState state = decision.State;
        RunDefinition run = state.Definition;
        if (state.Ended || state.Open is not null)
            return decision;
        if (!state.MayBegin)
            return decision.Become(s => s with { Detail = $"waiting for run '{run.After}' to end" });
        if (state.Attempt >= run.Attempts)
            return End(decision, succeeded: false, $"round {state.History.Count + 1} failed {state.Attempt} times, last: {state.Detail}", now);

        IReadOnlyList<string> cohort = Cohort(state);
        int here = cohort.Count(state.Present.Contains);
        return here >= run.Quorum
            ? Open(decision, now)
            : decision.Become(s => s with { Detail = $"waiting for sites: {here} of the {run.Quorum} that round {s.History.Count + 1} needs are here" });
    }

    private static RunDecision Open(RunDecision decision, TimeSpan now)
    {
        RunState state = decision.State;
        RunDefinition run = state.Definition;
        IReadOnlyList<string> cohort = Cohort(state);
        RoundPlan plan = PlanFactory.Create(run, state.Model, state.Global, state.History.Count + 1, state.Attempt + 1);
        return decision
            .Record(new RoundOpened { Run = run.Run, Plan = plan, Cohort = cohort, Remaining = run.DeadlineMilliseconds }, now)
            .Do(cohort.Where(state.Present.Contains).Select(site => new SendPlan(site, plan)));
    }

    private static RunDecision End(RunDecision decision, bool succeeded, string detail, TimeSpan now) => decision
        .Record(new RunEnded { Run = decision.State.Definition.Run, Succeeded = succeeded, Detail = detail }, now)
        .Do(new FinishRun())
        .Do(decision.State.Present.Select(site => new SendFinished(site)));

    private static IReadOnlyList<string> Cohort(RunState state) => CohortSampler.Draw(
        state.Definition.Sites, state.Definition.Cohort, state.Definition.Seed, state.History.Count + 1, state.Attempt + 1);
}
