using System.Reflection;
using Federated.Shared.Protocol;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Polly;

namespace Federated.Client.Agent;

/// <summary>Join, hold the one stream, hand tasks to the worker; reconnect with jittered back-off until told to stop.</summary>
public sealed class AgentLoop(AgentOptions options, ILocalRound local, TimeProvider clock, ILogger<AgentLoop> log)
{
    /// <summary>A connection that lived this long was a good one: the next trouble starts with the shortest delay again.</summary>
    private static readonly TimeSpan GoodConnection = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(30);

    /// <summary>Runs of the present connection that have not finished.</summary>
    private HashSet<string> _open = [];

    /// <summary>Runs until cancelled, or until all runs have finished when the options say so. Training has stopped when it returns.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="RpcException">A refusal that trying again cannot change: wrong token, unknown run, other version, foreign certificate.</exception>
    /// <exception cref="IOException">The state folder is in use or cannot be written.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        using RoundWorkspace workspace = new(options.State, options.CacheBytes, clock);
        using CoordinatorChannel channel = CoordinatorChannel.Open(options);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        RoundWorker worker = new(local, workspace, channel.Client, RetryPolicy.ForCalls(clock, log), clock, log);
        Task working = worker.RunAsync(stop.Token);
        Task connecting = StayConnectedAsync(channel, worker, stop.Token);
        try
        {
            // The worker never ends by itself: when it does, it failed, and an agent without one must not seem alive.
            await await Task.WhenAny(working, connecting);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(working, connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task StayConnectedAsync(CoordinatorChannel channel, RoundWorker worker, CancellationToken stopping)
    {
        ResiliencePipeline retries = RetryPolicy.ForConnection(clock, log);
        while (!await retries.ExecuteAsync(async token => await ConnectOnceAsync(channel, worker, token), stopping))
            await Task.Delay(RetryPolicy.Jitter(), clock, stopping);
    }

    /// <summary>One connection. True when there is nothing left to do; false after a long-lived connection broke.</summary>
    private async Task<bool> ConnectOnceAsync(CoordinatorChannel channel, RoundWorker worker, CancellationToken cancellation)
    {
        channel.RenewToken(log);
        JoinReply reply = await JoinAsync(channel.Client, cancellation);
        HashSet<string> runs = Check(reply);
        _open = [.. runs];
        worker.Retain(runs);
        log.LogInformation("joined as {Site}, runs: {Runs}", reply.Site, runs.Count == 0 ? "none" : string.Join(", ", runs));

        long start = clock.GetTimestamp();
        try
        {
            return await CallGuard.RunAsync(
                "Work", Timeout.InfiniteTimeSpan, clock, guard => HoldStreamAsync(channel.Client, worker, reply.Site, runs, guard.Token), cancellation);
        }
        catch (RpcException e) when (RetryPolicy.IsTransient(e) && clock.GetElapsedTime(start) >= GoodConnection)
        {
            log.LogWarning("connection lost ({Error}); reconnecting", FailureText.ForLog(e));
            return false;
        }
    }

    private async Task<JoinReply> JoinAsync(Federation.FederationClient coordinator, CancellationToken cancellation)
    {
        JoinRequest request = new()
        {
            ProtocolVersion = ProtocolLimits.Version,
            AgentVersion = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "0",
            TrainingExamples = local.Examples,
            Runs = { options.Runs },
        };
        return await CallGuard.RunAsync(
            "Join", JoinPatience, clock, async guard => await coordinator.JoinAsync(request, cancellationToken: guard.Token), cancellation);
    }

    /// <summary>The runs of a reply that makes sense.</summary>
    private static HashSet<string> Check(JoinReply reply)
    {
        if (reply.ProtocolVersion != ProtocolLimits.Version)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"The coordinator speaks version {reply.ProtocolVersion} of the protocol, this agent version {ProtocolLimits.Version}. Update the older of the two."));
        if (!Names.IsValid(reply.Site) || !reply.Runs.All(Names.IsValid))
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"The coordinator's answer names a site or run that breaks the rule: {Names.Rule}."));

        return new(reply.Runs, StringComparer.Ordinal);
    }

    private async Task<bool> HoldStreamAsync(
        Federation.FederationClient coordinator, RoundWorker worker, string site, HashSet<string> runs, CancellationToken cancellation)
    {
        EventOutbox outbox = new(runs);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using AsyncDuplexStreamingCall<AgentEvent, AgentTask> call = coordinator.Work(cancellationToken: end.Token);
        Task sending = SendAsync(call.RequestStream, outbox, end.Token);
        worker.ReportTo(outbox.Post);
        try
        {
            while (await call.ResponseStream.MoveNext(cancellation))
            {
                if (Handle(call.ResponseStream.Current, worker, site, outbox))
                    return true;
            }

            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator closed the task stream."));
        }
        finally
        {
            worker.ReportTo(null);
            await end.CancelAsync();
            await sending;
        }
    }

    /// <summary>Sends until the stream ends; why it ended, the reading side learns.</summary>
    private async Task SendAsync(IClientStreamWriter<AgentEvent> stream, EventOutbox outbox, CancellationToken cancellation)
    {
        try
        {
            await stream.WriteAsync(new() { Ready = new() { Runs = { options.Runs } } }, cancellation);
            await foreach (AgentEvent next in outbox.ReadAllAsync(cancellation))
                await stream.WriteAsync(next, cancellation);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException or OperationCanceledException)
        {
            log.LogDebug("the event stream ended ({Kind})", e.GetType().Name);
        }
    }

    /// <summary>True when all runs have finished and the agent was told to stop then.</summary>
    private bool Handle(AgentTask task, RoundWorker worker, string site, EventOutbox outbox)
    {
        switch (task.TaskCase)
        {
            case AgentTask.TaskOneofCase.Train:
                Take(task.Train.Memory, worker, site, outbox);
                break;
            case AgentTask.TaskOneofCase.Closed:
                worker.Abandon(new(task.Closed.Run, (int)task.Closed.Round, (int)task.Closed.Attempt));
                break;
            case AgentTask.TaskOneofCase.Finished when _open.Remove(task.Finished.Run):
                worker.End(task.Finished.Run);
                log.LogInformation("run {Run} {Outcome}: {Detail}",
                    task.Finished.Run, task.Finished.Succeeded ? "finished" : "failed", FailureText.Clean(task.Finished.Detail));
                return options.ExitWhenFinished && _open.Count == 0;
            case AgentTask.TaskOneofCase.Finished:
                break;
            default:
                log.LogWarning("the coordinator sent a task of a kind that this version does not know");
                break;
        }

        return false;
    }

    /// <summary>Takes a plan, or says why not: a bad one costs this site a round, not the agent.</summary>
    private void Take(ReadOnlyMemory<byte> bytes, RoundWorker worker, string site, EventOutbox outbox)
    {
        RoundPlan? plan = null;
        try
        {
            plan = Records.Decode<RoundPlan>(bytes, "plan");
            PlanCheck.Validate(plan);
            if (!_open.Contains(plan.Run))
                throw new FederatedException(RejectReason.NoSuchRun, $"Run '{plan.Run}' is none that this agent joined, or it has finished.");

            log.LogInformation("{Key}: plan received, method {Method}", RoundKey.Of(plan), FailureText.Clean(plan.Method));
            worker.Enqueue(new(plan, site));
        }
        catch (FederatedException e)
        {
            log.LogError("plan refused: {Error}", FailureText.ForLog(e));
            if (plan is not null && Names.IsValid(plan.Run))
                outbox.Post(RoundWorker.Failed(RoundKey.Of(plan), FailureText.ForCoordinator(e)));
        }
    }
}
