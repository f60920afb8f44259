using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Coordinator.Rounds;

/// <summary>A run as its YAML file describes it, checked. The journal keeps it, so that a restart goes on with the same run or refuses.</summary>
[MessagePackObject]
public sealed record RunDefinition
{
    /// <summary>Name of the run.</summary>
    [Key(0)] public required string Run { get; init; }

    /// <summary>Run that must end before this one begins; null for none.</summary>
    [Key(1)] public required string? After { get; init; }

    /// <summary>Name of the method.</summary>
    [Key(2)] public required string Method { get; init; }

    /// <summary>Options of the method, by name, in ordinal order.</summary>
    [Key(3)] public required IReadOnlyList<NamedText> MethodOptions { get; init; }

    /// <summary>Sites that may take part, in ordinal order.</summary>
    [Key(4)] public required IReadOnlyList<string> Sites { get; init; }

    /// <summary>Sites drawn for each round.</summary>
    [Key(5)] public required int Cohort { get; init; }

    /// <summary>Updates that a round needs.</summary>
    [Key(6)] public required int Quorum { get; init; }

    /// <summary>Milliseconds that a round may take.</summary>
    [Key(7)] public required long DeadlineMilliseconds { get; init; }

    /// <summary>Rounds of the run.</summary>
    [Key(8)] public required int Rounds { get; init; }

    /// <summary>Attempts at one round before the run fails.</summary>
    [Key(9)] public required int Attempts { get; init; }

    /// <summary>Seed of the run: cohorts, initial adapter and the sites' own seeds follow from it.</summary>
    [Key(10)] public required ulong Seed { get; init; }

    /// <summary>Cap on the norm of an update's difference from the global adapter; 0 for none.</summary>
    [Key(11)] public required double NormCap { get; init; }

    /// <summary>Shape of the adapter.</summary>
    [Key(12)] public required AdapterPlan Adapter { get; init; }

    /// <summary>Local training of one round; a plan sets where in the schedule it stands.</summary>
    [Key(13)] public required TrainingPlan Training { get; init; }

    /// <summary>What a round may take.</summary>
    [IgnoreMember] public TimeSpan Deadline => TimeSpan.FromMilliseconds(DeadlineMilliseconds);

    /// <summary>Factor in front of B A.</summary>
    [IgnoreMember] public double Scaling => Adapter.Alpha / Adapter.Rank;
}

/// <summary>A text with a name.</summary>
[MessagePackObject]
public sealed record NamedText
{
    /// <summary>Name.</summary>
    [Key(0)] public required string Name { get; init; }

    /// <summary>Text.</summary>
    [Key(1)] public required string Value { get; init; }
}

/// <summary>A number with a name.</summary>
[MessagePackObject]
public sealed record NamedNumber
{
    /// <summary>Name.</summary>
    [Key(0)] public required string Name { get; init; }

    /// <summary>Value.</summary>
    [Key(1)] public required double Value { get; init; }
}
