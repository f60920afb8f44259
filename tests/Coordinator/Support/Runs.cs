using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Tests.Support;

/// <summary>Runs as the pure policy sees them.</summary>
internal static class Runs
{
    public static BlobReference Blob(byte fill) => new() { Sha256 = [.. Enumerable.Repeat(fill, 32)], Length = 1000 };

    public static RunDefinition Definition(
        int sites = 3, int? cohort = null, int? quorum = null, int rounds = 2, int attempts = 2, string? after = null, TimeSpan? deadline = null) => new()
        {
            Run = "mail",
            After = after,
            Method = "fedit",
            MethodOptions = [],
            Sites = [.. Enumerable.Range(0, sites).Select(i => $"s{i}")],
            Cohort = cohort ?? sites,
            Quorum = quorum ?? cohort ?? sites,
            DeadlineMilliseconds = (long)(deadline ?? TimeSpan.FromMinutes(10)).TotalMilliseconds,
            Rounds = rounds,
            Attempts = attempts,
            Seed = 7,
            NormCap = 0,
            Adapter = new() { Rank = 2, Alpha = 4, Dropout = 0, TargetModules = ["q_proj"], ModulesToSave = [] },
            Training = new()
            {
                Objective = "sequence-classification",
                Labels = ["ham", "spam"],
                Steps = 5,
                StepOffset = 0,
                TotalSteps = 0,
                WarmupSteps = 0,
                Schedule = "cosine",
                LearningRate = 1e-3,
                BatchSize = 4,
                MaxTokens = 64,
                WeightDecay = 0,
                ClipNorm = 1,
                HoldoutShare = 0.1,
            },
        };

    public static RunCreated Created(RunDefinition definition) => new()
    {
        Run = definition.Run,
        Definition = definition,
        Model = [new() { Name = "config.json", Content = Blob(9) }],
        Global = Blob(1),
    };

    public static UpdateManifest Manifest(string site, int round = 1, int attempt = 1, byte content = 50, string run = "mail") => new()
    {
        Run = run,
        Round = round,
        Attempt = attempt,
        Site = site,
        Content = Blob(content),
        Examples = 10,
        Metrics = new() { TrainingLoss = 0.5, HoldoutExamples = 0, HoldoutLoss = 0, HoldoutAccuracy = 0, Tokens = 1, Seconds = 1 },
    };
}

/// <summary>A run driven by hand: keeps the state, the facts and the effects of every decision.</summary>
internal sealed class PolicyRun
{
    private readonly List<IJournalRecord> _journal = [];

    public PolicyRun(RunDefinition definition)
    {
        RunCreated created = Runs.Created(definition);
        _journal.Add(created);
        State = RunState.From(created) with { MayBegin = definition.After is null };
    }

    public RunState State { get; private set; }

    public TimeSpan Now { get; set; }

    /// <summary>Facts of the last decision.</summary>
    public IReadOnlyList<IRunRecord> Records { get; private set; } = [];

    /// <summary>Effects of the last decision.</summary>
    public IReadOnlyList<RunEffect> Effects { get; private set; } = [];

    /// <summary>The whole journal.</summary>
    public IReadOnlyList<IJournalRecord> Journal => _journal;

    public PolicyRun Happens(params RunEvent[] events)
    {
        foreach (RunEvent happened in events)
        {
            RunDecision decision = RoundPolicy.Decide(State, happened, Now);
            (State, Records, Effects) = (decision.State, decision.Records, decision.Effects);
            _journal.AddRange(decision.Records);
        }

        return this;
    }

    public PolicyRun Arrive(params string[] sites) => Happens([.. sites.Select(site => new SiteArrived(site))]);

    /// <summary>Offers an update and returns the answer.</summary>
    public UpdateVerdict Offer(string site, int round = 1, int attempt = 1, byte content = 50)
    {
        object ticket = new();
        Happens(new UpdateOffered(Runs.Manifest(site, round, attempt, content), 0.5, ticket));
        return Assert.Single(Effects.OfType<Answer>(), answer => answer.Ticket == ticket).Verdict;
    }

    /// <summary>What the loop does for a <see cref="RunAggregation"/>: the aggregate becomes durable.</summary>
    public PolicyRun Aggregate(byte content)
    {
        AggregateWritten record = new()
        {
            Run = "mail",
            Round = State.Open!.Plan.Round,
            Attempt = State.Open.Plan.Attempt,
            Global = Runs.Blob(content),
            RuleState = [content],
            Diagnostics = [new() { Name = "d", Value = content }],
        };
        _journal.Add(record);
        return Happens(new AggregateDone(record, new Dictionary<string, SiteTraffic> { ["s0"] = new(11, 22) }));
    }
}
