using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>Something that happened to a run.</summary>
internal abstract record RunEvent;

/// <summary>The process has started and replayed the journal, or space has come back: go on where the run stands.</summary>
/// <param name="Traffic">Bytes of each site since the round opened.</param>
internal sealed record Resumed(IReadOnlyDictionary<string, SiteTraffic> Traffic) : RunEvent;

/// <summary>The run that this one comes after has ended.</summary>
internal sealed record PredecessorEnded : RunEvent;

/// <summary>A site holds a task stream and takes part in this run.</summary>
internal sealed record SiteArrived(string Site) : RunEvent;

/// <summary>A site's task stream is gone.</summary>
internal sealed record SiteLeft(string Site) : RunEvent;

/// <summary>A site says that it cannot do its task.</summary>
internal sealed record SiteFailed(string Site, int Round, int Attempt) : RunEvent;

/// <summary>The content of a site's update was refused.</summary>
internal sealed record UpdateRefused(string Site, int Round, int Attempt, RejectReason Reason) : RunEvent;

/// <summary>An update is durable as a blob, checked, and wants to count.</summary>
/// <param name="Manifest">What was announced.</param>
/// <param name="Norm">L2 norm of its difference from the round's starting adapter.</param>
/// <param name="Ticket">Handed back with the answer.</param>
internal sealed record UpdateOffered(UpdateManifest Manifest, double Norm, object Ticket) : RunEvent;

/// <summary>Time has passed: look at the deadline.</summary>
internal sealed record TimePassed : RunEvent;

/// <summary>The aggregate is durable and recorded.</summary>
/// <param name="Record">What was recorded.</param>
/// <param name="Traffic">Bytes of each site since the round opened.</param>
internal sealed record AggregateDone(AggregateWritten Record, IReadOnlyDictionary<string, SiteTraffic> Traffic) : RunEvent;

/// <summary>The rule could not fold the round.</summary>
/// <param name="Message">Why.</param>
/// <param name="Site">The site whose update is to blame; null when none is.</param>
internal sealed record AggregateFailed(string Message, string? Site) : RunEvent;

/// <summary>Bytes on the socket.</summary>
internal readonly record struct SiteTraffic(long Received, long Sent);

/// <summary>Something to do, after the decision's records are durable.</summary>
internal abstract record RunEffect;

/// <summary>Send the open round's plan to a site.</summary>
internal sealed record SendPlan(string Site, RoundPlan Plan) : RunEffect;

/// <summary>Tell a site to stop working on a round.</summary>
internal sealed record SendClosed(string Site, int Round, int Attempt) : RunEffect;

/// <summary>Tell a site that the run is over.</summary>
internal sealed record SendFinished(string Site) : RunEffect;

/// <summary>Answer an offered update.</summary>
internal sealed record Answer(object Ticket, UpdateVerdict Verdict) : RunEffect;

/// <summary>Fold the open round's updates; ends in <see cref="AggregateDone"/> or <see cref="AggregateFailed"/>.</summary>
internal sealed record RunAggregation : RunEffect;

/// <summary>Let go of the updates of a round that is over.</summary>
internal sealed record ReleaseUpdates(IReadOnlyList<BlobReference> Updates) : RunEffect;

/// <summary>The run is over: let the runs after it begin.</summary>
internal sealed record FinishRun : RunEffect;

/// <summary>Answer to an offered update.</summary>
/// <param name="Reason">Why it was refused; null when it counts.</param>
/// <param name="Message">For the sender; empty when it counts.</param>
/// <param name="Duplicate">It counted already.</param>
internal sealed record UpdateVerdict(RejectReason? Reason, string Message, bool Duplicate)
{
    /// <summary>It counts.</summary>
    public static UpdateVerdict Accepted { get; } = new(null, "", false);

    /// <summary>It counted already.</summary>
    public static UpdateVerdict Known { get; } = new(null, "", true);

    /// <summary>It does not count.</summary>
    public static UpdateVerdict Refused(RejectReason reason, string message) => new(reason, message, false);
}
