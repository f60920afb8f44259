using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Coordinator.Store;

/// <summary>One durable fact. Facts are only ever added; the state of every run follows from them alone.</summary>
public interface IJournalRecord;

/// <summary>A fact about one run.</summary>
public interface IRunRecord : IJournalRecord
{
    /// <summary>Name of the run.</summary>
    string Run { get; }
}

/// <summary>A run exists: what it is, and the adapter that its first round starts from.</summary>
[MessagePackObject]
public sealed record RunCreated : IRunRecord
{
    /// <inheritdoc/>
    [Key(0)] public required string Run { get; init; }

    /// <summary>The run as described.</summary>
    [Key(1)] public required RunDefinition Definition { get; init; }

    /// <summary>The base model, by content.</summary>
    [Key(2)] public required IReadOnlyList<ModelFile> Model { get; init; }

    /// <summary>The first global adapter.</summary>
    [Key(3)] public required BlobReference Global { get; init; }
}

/// <summary>A round (or another attempt at it) is open. Durable before any site hears of it.</summary>
[MessagePackObject]
public sealed record RoundOpened : IRunRecord
{
    /// <inheritdoc/>
    [Key(0)] public required string Run { get; init; }

    /// <summary>The plan that the sites get.</summary>
    [Key(1)] public required RoundPlan Plan { get; init; }

    /// <summary>Sites drawn for it, in ordinal order.</summary>
    [Key(2)] public required IReadOnlyList<string> Cohort { get; init; }

    /// <summary>Milliseconds until the deadline.</summary>
    [Key(3)] public required long Remaining { get; init; }
}

/// <summary>An update counts. Its bytes are durable before this record, and this record before the sender's answer.</summary>
[MessagePackObject]
public sealed record UpdateAccepted : IRunRecord
{
    /// <inheritdoc/>
    [IgnoreMember] public string Run => Manifest.Run;

    /// <summary>What the site announced; the idempotency key is in it.</summary>
    [Key(0)] public required UpdateManifest Manifest { get; init; }

    /// <summary>Milliseconds that were left until the round's deadline.</summary>
    [Key(1)] public required long Remaining { get; init; }

    /// <summary>L2 norm of the difference between the update and the round's starting adapter.</summary>
    [Key(2)] public required double Norm { get; init; }
}

/// <summary>The next global adapter is durable as a blob; nothing has moved yet.</summary>
[MessagePackObject]
public sealed record AggregateWritten : IRunRecord
{
    /// <inheritdoc/>
    [Key(0)] public required string Run { get; init; }

    /// <summary>Number of the round.</summary>
    [Key(1)] public required int Round { get; init; }

    /// <summary>Attempt at it.</summary>
    [Key(2)] public required int Attempt { get; init; }

    /// <summary>The aggregate.</summary>
    [Key(3)] public required BlobReference Global { get; init; }

    /// <summary>What the rule carries to the next round; null for nothing.</summary>
    [Key(4)] public required byte[]? RuleState { get; init; }

    /// <summary>The rule's diagnostics.</summary>
    [Key(5)] public required IReadOnlyList<NamedNumber> Diagnostics { get; init; }
}

/// <summary>The only thing that moves the global adapter.</summary>
[MessagePackObject]
public sealed record RoundCommitted : IRunRecord
{
    /// <inheritdoc/>
    [Key(0)] public required string Run { get; init; }

    /// <summary>What happened in the round.</summary>
    [Key(1)] public required RoundReport Report { get; init; }

    /// <summary>The new global adapter.</summary>
    [Key(2)] public required BlobReference Global { get; init; }

    /// <summary>What the rule carries to the next round; null for nothing.</summary>
    [Key(3)] public required byte[]? RuleState { get; init; }
}

/// <summary>An attempt ended without a result. What it had accepted is not counted.</summary>
[MessagePackObject]
public sealed record RoundAborted : IRunRecord
{
    /// <inheritdoc/>
    [Key(0)] public required string Run { get; init; }

    /// <summary>Number of the round.</summary>
    [Key(1)] public required int Round { get; init; }

    /// <summary>Attempt at it.</summary>
    [Key(2)] public required int Attempt { get; init; }

    /// <summary>Why.</summary>
    [Key(3)] public required string Reason { get; init; }
}

/// <summary>A site sent a second, different update under a key that was taken: the first stands.</summary>
[MessagePackObject]
public sealed record ConflictEvidence : IRunRecord
{
    /// <inheritdoc/>
    [IgnoreMember] public string Run => Offered.Run;

    /// <summary>What it announced the second time.</summary>
    [Key(0)] public required UpdateManifest Offered { get; init; }

    /// <summary>SHA-256 of the update that stands, 32 bytes.</summary>
    [Key(1)] public required byte[] Accepted { get; init; }
}

/// <summary>A run is over.</summary>
[MessagePackObject]
public sealed record RunEnded : IRunRecord
{
    /// <inheritdoc/>
    [Key(0)] public required string Run { get; init; }

    /// <summary>Whether all rounds were committed.</summary>
    [Key(1)] public required bool Succeeded { get; init; }

    /// <summary>For people.</summary>
    [Key(2)] public required string Detail { get; init; }
}

/// <summary>What a site registered when it joined; written when it is new or different.</summary>
[MessagePackObject]
public sealed record SiteJoined : IJournalRecord
{
    /// <summary>Name of the site.</summary>
    [Key(0)] public required string Site { get; init; }

    /// <summary>Training examples it registered: no update of it may claim more.</summary>
    [Key(1)] public required long TrainingExamples { get; init; }
}

/// <summary>The process stopped in order.</summary>
[MessagePackObject]
public sealed record CleanStop : IJournalRecord
{
    /// <summary>Version of the program that stopped.</summary>
    [Key(0)] public required string Version { get; init; }
}
