using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>The way from the round logic to the sites. What lies behind it (streams, a simulated network) is not its business.</summary>
internal interface ISiteLinks
{
    /// <summary>Hands a task to a site, if it is there; a task for a site that is away is dropped, since it is sent again when the site arrives.</summary>
    void Send(string run, string site, AgentTask task);

    /// <summary>Bytes that went over the sockets of the given sites since the process started.</summary>
    IReadOnlyDictionary<string, SiteTraffic> Traffic(IEnumerable<string> sites);
}
