using System.Collections.Concurrent;
using System.Threading.Channels;
using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Endpoints;

/// <summary>The task stream of a site, as the rest of the coordinator sees it: a short queue.</summary>
/// <param name="site">Whose stream.</param>
/// <param name="runs">Runs it takes part in.</param>
internal sealed class SiteLink(string site, IReadOnlySet<string> runs)
{
    private const int LongestQueue = 256;

    private readonly Channel<AgentTask> _tasks = Channel.CreateBounded<AgentTask>(new BoundedChannelOptions(LongestQueue) { SingleReader = true });

    /// <summary>Whose stream.</summary>
    public string Site => site;

    /// <summary>Runs it takes part in.</summary>
    public IReadOnlySet<string> Runs => runs;

    /// <summary>Tasks in order; ends with a <see cref="FederatedException"/> when the link was closed.</summary>
    public ChannelReader<AgentTask> Tasks => _tasks.Reader;

    /// <summary>Queues a task. A site that has not taken 256 tasks is not there any more: its link is closed, and when it comes back it gets what is open.</summary>
    public void Send(AgentTask task)
    {
        if (!_tasks.Writer.TryWrite(task))
            Close(new(RejectReason.Busy, $"Site '{site}' does not read its tasks: {LongestQueue} are waiting. Open the stream again."));
    }

    /// <summary>Ends the stream.</summary>
    public void Close(FederatedException? why) => _tasks.Writer.TryComplete(why);
}

/// <summary>All sites that are here, and what they last told.</summary>
internal sealed class SiteHub(WireMeter meter) : ISiteLinks
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SiteLink> _links = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Run, string Site), TrainingProgress> _progress = [];

    /// <summary>Number of sites that are here.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _links.Count;
        }
    }

    /// <summary>True when the site is here or was here since the process started.</summary>
    public bool HasSeen(string site)
    {
        lock (_gate)
            return _seen.Contains(site);
    }

    /// <summary>Takes a new stream of a site; one that it had before is closed.</summary>
    public SiteLink Attach(string site, IReadOnlySet<string> runs)
    {
        SiteLink link = new(site, runs);
        SiteLink? before;
        lock (_gate)
        {
            before = _links.GetValueOrDefault(site);
            _links[site] = link;
            _seen.Add(site);
        }

        before?.Close(new(RejectReason.Replaced,
            $"Another stream of site '{site}' took over. If two agents use one token, stop one of them."));
        return link;
    }

    /// <summary>Forgets a stream.</summary>
    /// <returns>False when it was not the site's newest: the site is still here.</returns>
    public bool Detach(SiteLink link)
    {
        lock (_gate)
        {
            if (_links.GetValueOrDefault(link.Site) != link)
                return false;

            _links.Remove(link.Site);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Send(string run, string site, AgentTask task)
    {
        SiteLink? link;
        lock (_gate)
            link = _links.GetValueOrDefault(site);
        if (link is not null && link.Runs.Contains(run))
            link.Send(task);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SiteTraffic> Traffic(IEnumerable<string> sites) =>
        sites.ToDictionary(site => site, meter.Read, StringComparer.Ordinal);

    /// <summary>Keeps what a site tells about its training, for those who watch. Nothing is decided by it.</summary>
    public void Report(string site, TrainingProgress progress) => _progress[(progress.Run, site)] = progress;

    /// <summary>What a site last told about a run; null when it told nothing.</summary>
    public TrainingProgress? Progress(string run, string site) => _progress.GetValueOrDefault((run, site));
}
