using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Coordinator.Rounds;

/// <summary>What happened in a committed round; kept in the journal, shown to operators.</summary>
[MessagePackObject]
public sealed record RoundReport
{
    /// <summary>Number of the round.</summary>
    [Key(0)] public required int Round { get; init; }

    /// <summary>Attempt that succeeded.</summary>
    [Key(1)] public required int Attempt { get; init; }

    /// <summary>Seconds from its opening to its commit; waiting time before a restart is not in it.</summary>
    [Key(2)] public required double Seconds { get; init; }

    /// <summary>One entry for each site of the cohort, in ordinal order.</summary>
    [Key(3)] public required IReadOnlyList<SiteReport> Sites { get; init; }

    /// <summary>The rule's diagnostics, in ordinal order of their names.</summary>
    [Key(4)] public required IReadOnlyList<NamedNumber> Diagnostics { get; init; }
}

/// <summary>One site's part in a round.</summary>
[MessagePackObject]
public sealed record SiteReport
{
    /// <summary>Name of the site.</summary>
    [Key(0)] public required string Site { get; init; }

    /// <summary>Why it does not count, a <see cref="RejectReason"/> word or <c>FAILED</c> or <c>LATE</c>; empty when its update counts.</summary>
    [Key(1)] public required string Dropped { get; init; }

    /// <summary>Weight of its update: examples.</summary>
    [Key(2)] public required long Examples { get; init; }

    /// <summary>Its own account; null when it was dropped.</summary>
    [Key(3)] public required UpdateMetrics? Metrics { get; init; }

    /// <summary>L2 norm of its difference from the round's starting adapter.</summary>
    [Key(4)] public required double Norm { get; init; }

    /// <summary>Bytes received from it on the socket during the round.</summary>
    [Key(5)] public required long BytesReceived { get; init; }

    /// <summary>Bytes sent to it on the socket during the round.</summary>
    [Key(6)] public required long BytesSent { get; init; }
}
