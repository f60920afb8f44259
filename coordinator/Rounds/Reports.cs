using Federated.Coordinator.Store;

namespace Federated.Coordinator.Rounds;

/// <summary>Writes a round's report.</summary>
internal static class Reports
{
    /// <summary>The report of a round that is being committed.</summary>
    public static RoundReport Of(OpenRound open, IReadOnlyDictionary<string, SiteTraffic> traffic, TimeSpan now) => new()
    {
        Round = open.Plan.Round,
        Attempt = open.Plan.Attempt,
        Seconds = (now - open.OpenedAt).TotalSeconds,
        Sites = [.. open.Cohort.Select(site => Of(open, site, traffic.GetValueOrDefault(site)))],
        Diagnostics = open.Aggregate!.Diagnostics,
    };

    private static SiteReport Of(OpenRound open, string site, SiteTraffic bytes)
    {
        UpdateAccepted? update = open.Accepted.GetValueOrDefault(site);
        return new()
        {
            Site = site,
            Dropped = update is not null ? "" : open.Dropped.GetValueOrDefault(site, RoundPolicy.Late),
            Examples = update?.Manifest.Examples ?? 0,
            Metrics = update?.Manifest.Metrics,
            Norm = update?.Norm ?? 0,
            BytesReceived = bytes.Received,
            BytesSent = bytes.Sent,
        };
    }
}
