using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Coordinator.Endpoints;

/// <summary>One site's task stream: tasks go down as they are decided, events come up.</summary>
internal sealed class WorkStream(RunRegistry runs, SiteHub hub, ChangeSignal changes, ILogger<WorkStream> log)
{
    private const int LongestReason = 200;

    /// <summary>Serves the stream until either side ends it.</summary>
    /// <exception cref="FederatedException">The site asked for a run that it is not in, or another stream took over.</exception>
    public async Task ServeAsync(string site, IAsyncStreamReader<AgentEvent> events, IServerStreamWriter<AgentTask> tasks, CancellationToken cancellation)
    {
        if (!await events.MoveNext(cancellation) || events.Current.EventCase != AgentEvent.EventOneofCase.Ready)
            throw new FederatedException(RejectReason.Malformed, "The first event on a task stream must be 'ready'.");

        HashSet<string> own = [.. runs.Of(site, events.Current.Ready.Runs).Select(run => run.Run)];
        SiteLink link = hub.Attach(site, own);
        foreach (string run in own)
            runs.Get(run).Post(new SiteArrived(site));

        log.LogInformation("site {Site} is here", site);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task reading = ReadAsync(link, events, end.Token);
        try
        {
            await foreach (AgentTask task in link.Tasks.ReadAllAsync(cancellation))
                await tasks.WriteAsync(task, cancellation);
            await reading;
        }
        finally
        {
            await end.CancelAsync();
            if (hub.Detach(link))
            {
                foreach (string run in own)
                    runs.Get(run).Post(new SiteLeft(site));
                log.LogInformation("site {Site} is gone", site);
            }

            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(SiteLink link, IAsyncStreamReader<AgentEvent> events, CancellationToken cancellation)
    {
        try
        {
            while (await events.MoveNext(cancellation))
                Take(link, events.Current);
            link.Close(null);
        }
        catch (FederatedException e)
        {
            link.Close(e);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or RpcException)
        {
            link.Close(null);
        }
    }

    private void Take(SiteLink link, AgentEvent happened)
    {
        switch (happened.EventCase)
        {
            case AgentEvent.EventOneofCase.Progress when link.Runs.Contains(happened.Progress.Run):
                hub.Report(link.Site, happened.Progress);
                changes.Pulse();
                break;
            case AgentEvent.EventOneofCase.Failed when link.Runs.Contains(happened.Failed.Run):
                TaskFailed failed = happened.Failed;
                log.LogWarning("site {Site} cannot do round {Round}, attempt {Attempt} of run {Run}: {Reason}",
                    link.Site, failed.Round, failed.Attempt, failed.Run, Clean(failed.Reason));
                runs.Get(failed.Run).Post(new SiteFailed(link.Site, (int)failed.Round, (int)failed.Attempt));
                break;
            default:
                throw new FederatedException(RejectReason.Malformed,
                    "An event after the first must be 'progress' or 'failed', for a run that the stream was opened for.");
        }
    }

    /// <summary>A foreign text for our log: one line, visible ASCII, not long.</summary>
    private static string Clean(string text) => string.Concat(text.Take(LongestReason).Select(c => c is >= ' ' and <= '~' ? c : '?'));
}
