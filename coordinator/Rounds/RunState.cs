using System.Collections.Immutable;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>All that decides what a run does next. Never changed, only replaced; the durable part follows from the journal alone.</summary>
internal sealed record RunState
{
    /// <summary>A round that was open at a stop gets at least this long after the start: its sites have to find the coordinator again.</summary>
    public static readonly TimeSpan GraceAfterStart = TimeSpan.FromSeconds(60);

    /// <summary>What the run is.</summary>
    public required RunDefinition Definition { get; init; }

    /// <summary>The base model.</summary>
    public required IReadOnlyList<ModelFile> Model { get; init; }

    /// <summary>The newest committed global adapter.</summary>
    public required BlobReference Global { get; init; }

    /// <summary>What the rule carries to the next round.</summary>
    public byte[]? RuleState { get; init; }

    /// <summary>Where the run stands.</summary>
    public RunPhase Phase { get; init; } = RunPhase.Waiting;

    /// <summary>The round that is open; null when none is.</summary>
    public OpenRound? Open { get; init; }

    /// <summary>Attempts made at the round after the last committed one.</summary>
    public int Attempt { get; init; }

    /// <summary>Committed rounds, in order.</summary>
    public ImmutableList<RoundReport> History { get; init; } = [];

    /// <summary>Global adapters that committed rounds made, in order; the first one before them all.</summary>
    public ImmutableList<BlobReference> Globals { get; init; } = [];

    /// <summary>Sites with a task stream. Not durable.</summary>
    public ImmutableSortedSet<string> Present { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>True when the run that this one comes after has ended, or there is none. Not durable.</summary>
    public bool MayBegin { get; init; } = true;

    /// <summary>For people: what the run waits for, or how it ended.</summary>
    public string Detail { get; init; } = "";

    /// <summary>True when nothing will happen any more.</summary>
    public bool Ended => Phase is RunPhase.Finished or RunPhase.Failed;

    /// <summary>The state right after the run's creation.</summary>
    public static RunState From(RunCreated record) => new()
    {
        Definition = record.Definition,
        Model = record.Model,
        Global = record.Global,
        Globals = [record.Global],
    };

    /// <summary>The state after one more durable fact: the same live and at a replay.</summary>
    /// <param name="record">The fact.</param>
    /// <param name="now">Monotonic time of this process.</param>
    public RunState Apply(IRunRecord record, TimeSpan now) => record switch
    {
        RoundOpened r => this with
        {
            Phase = RunPhase.Training,
            Attempt = r.Plan.Attempt,
            Detail = "",
            Open = new() { Plan = r.Plan, Cohort = r.Cohort, OpenedAt = now, ClosesAt = now + TimeSpan.FromMilliseconds(r.Remaining) },
        },
        UpdateAccepted r => this with { Open = Open?.Accept(r, now) },
        AggregateWritten r => this with { Phase = RunPhase.Aggregating, Open = Open is null ? null : Open with { Aggregate = r } },
        RoundCommitted r => this with
        {
            Phase = RunPhase.Waiting,
            Open = null,
            Attempt = 0,
            Global = r.Global,
            RuleState = r.RuleState,
            History = History.Add(r.Report),
            Globals = Globals.Add(r.Global),
        },
        RoundAborted r => this with { Phase = RunPhase.Waiting, Open = null, Detail = r.Reason },
        RunEnded r => this with { Phase = r.Succeeded ? RunPhase.Finished : RunPhase.Failed, Open = null, Detail = r.Detail },
        _ => this,
    };
}

/// <summary>A round between its opening and its commit or abort.</summary>
internal sealed record OpenRound
{
    /// <summary>What the sites were told.</summary>
    public required RoundPlan Plan { get; init; }

    /// <summary>Sites drawn, in ordinal order.</summary>
    public required IReadOnlyList<string> Cohort { get; init; }

    /// <summary>When it opened, in the monotonic time of this process.</summary>
    public required TimeSpan OpenedAt { get; init; }

    /// <summary>Its deadline, in the monotonic time of this process.</summary>
    public required TimeSpan ClosesAt { get; init; }

    /// <summary>Updates that count, by site.</summary>
    public ImmutableSortedDictionary<string, UpdateAccepted> Accepted { get; init; } =
        ImmutableSortedDictionary.Create<string, UpdateAccepted>(StringComparer.Ordinal);

    /// <summary>Sites that will not deliver in this attempt, with the code word why. Not durable: after a start they are asked again.</summary>
    public ImmutableSortedDictionary<string, string> Dropped { get; init; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The aggregate, once it is durable.</summary>
    public AggregateWritten? Aggregate { get; init; }

    /// <summary>Sites that have neither delivered nor dropped out.</summary>
    public IEnumerable<string> Awaited => Cohort.Where(site => !Accepted.ContainsKey(site) && !Dropped.ContainsKey(site));

    /// <summary>Milliseconds left until the deadline, at least 0.</summary>
    public long Remaining(TimeSpan now) => Math.Max(0, (long)Math.Ceiling((ClosesAt - now).TotalMilliseconds));

    /// <summary>True when <paramref name="round"/> and <paramref name="attempt"/> name this one.</summary>
    public bool Is(int round, int attempt) => Plan.Round == round && Plan.Attempt == attempt;

    /// <summary>With one more update. A replay takes the deadline from the time that was left at it.</summary>
    public OpenRound Accept(UpdateAccepted update, TimeSpan now) => this with
    {
        Accepted = Accepted.SetItem(update.Manifest.Site, update),
        Dropped = Dropped.Remove(update.Manifest.Site),
        ClosesAt = now + TimeSpan.FromMilliseconds(update.Remaining),
    };
}
