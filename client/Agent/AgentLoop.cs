using System.Reflection;
using System.Threading.Channels;
using Federated.Shared.Protocol;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Federated.Client.Agent;

/// <summary>Join, hold the one stream, hand tasks to the worker; reconnect with jittered back-off until told to stop.</summary>
public sealed class AgentLoop(AgentOptions options, ILocalRound local, TimeProvider clock, ILogger<AgentLoop> log)
{
    /// <summary>A connection that lived this long was a good one: the next trouble starts with the shortest delay again.</summary>
    private static readonly TimeSpan GoodConnection = TimeSpan.FromSeconds(30);

    private readonly HashSet<string> _open = new(StringComparer.Ordinal);

    /// <summary>Runs until cancelled, or until all runs have finished when the options say so.</summary>
    /// <exception cref="RpcException">A refusal that trying again cannot change: wrong token, unknown run, other version.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        using CoordinatorChannel channel = CoordinatorChannel.Open(options);
        ResiliencePipeline retries = Retries();
        RoundWorker worker = new(local, new RoundWorkspace(options.State), channel.Client, retries, clock, log);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task working = worker.RunAsync(stop.Token);
        try
        {
            bool finished = false;
            while (!finished)
                finished = await retries.ExecuteAsync(async token => await ConnectOnceAsync(channel.Client, worker, token), stopping);
        }
        finally
        {
            await stop.CancelAsync();
            await working.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    /// <summary>One connection. True when there is nothing left to do; false after a long-lived connection broke.</summary>
    private async Task<bool> ConnectOnceAsync(Federation.FederationClient coordinator, RoundWorker worker, CancellationToken cancellation)
    {
        JoinReply reply = await JoinAsync(coordinator, cancellation);
        worker.Site = reply.Site;
        _open.UnionWith(reply.Runs);
        log.LogInformation("joined as {Site}, runs: {Runs}", reply.Site, reply.Runs.Count == 0 ? "none yet" : string.Join(", ", reply.Runs));

        long start = clock.GetTimestamp();
        try
        {
            return await HoldStreamAsync(coordinator, worker, cancellation);
        }
        catch (RpcException e) when (IsTransient(e) && clock.GetElapsedTime(start) >= GoodConnection)
        {
            log.LogWarning("connection lost ({Status}); reconnecting", e.StatusCode);
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
        return await coordinator.JoinAsync(request, deadline: clock.GetUtcNow().UtcDateTime.AddSeconds(10), cancellationToken: cancellation);
    }

    private async Task<bool> HoldStreamAsync(Federation.FederationClient coordinator, RoundWorker worker, CancellationToken cancellation)
    {
        // Progress is worth nothing once it is old: a slow line drops the oldest instead of holding up training.
        Channel<AgentEvent> events = Channel.CreateBounded<AgentEvent>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        events.Writer.TryWrite(new() { Ready = new() { Runs = { options.Runs } } });
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using AsyncDuplexStreamingCall<AgentEvent, AgentTask> call = coordinator.Work(cancellationToken: end.Token);
        worker.Report = e => events.Writer.TryWrite(e);
        Task sending = SendAsync(call.RequestStream, events.Reader, end.Token);
        try
        {
            while (await call.ResponseStream.MoveNext(cancellation))
            {
                if (Handle(call.ResponseStream.Current, worker))
                    return true;
            }

            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator closed the task stream."));
        }
        finally
        {
            worker.Report = null;
            await end.CancelAsync();
            await sending.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private static async Task SendAsync(IClientStreamWriter<AgentEvent> stream, ChannelReader<AgentEvent> events, CancellationToken cancellation)
    {
        await foreach (AgentEvent next in events.ReadAllAsync(cancellation))
            await stream.WriteAsync(next, cancellation);
    }

    /// <summary>True when all runs have finished and the agent was told to stop then.</summary>
    private bool Handle(AgentTask task, RoundWorker worker)
    {
        switch (task.TaskCase)
        {
            case AgentTask.TaskOneofCase.Train:
                RoundPlan plan = Records.Decode<RoundPlan>(task.Train.Memory, "plan");
                log.LogInformation("{Key}: plan received, method {Method}", RoundKey.Of(plan), plan.Method);
                worker.Enqueue(plan);
                break;
            case AgentTask.TaskOneofCase.Closed:
                worker.Abandon(new(task.Closed.Run, (int)task.Closed.Round, (int)task.Closed.Attempt));
                break;
            case AgentTask.TaskOneofCase.Finished:
                _open.Remove(task.Finished.Run);
                log.LogInformation("run {Run} {Outcome}: {Detail}", task.Finished.Run, task.Finished.Succeeded ? "finished" : "failed", task.Finished.Detail);
                return options.ExitWhenFinished && _open.Count == 0;
            default:
                log.LogWarning("the coordinator sent a task of a kind that this version does not know");
                break;
        }

        return false;
    }

    private ResiliencePipeline Retries() => new ResiliencePipelineBuilder { TimeProvider = clock }
        .AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromSeconds(1),
            MaxDelay = TimeSpan.FromSeconds(60),
            ShouldHandle = new PredicateBuilder()
                .Handle<RpcException>(IsTransient)
                .Handle<HttpRequestException>()
                .Handle<InvalidDataException>(),
            OnRetry = retry =>
            {
                log.LogWarning("coordinator: {Error}; trying again in {Delay:0.0} s", Describe(retry.Outcome.Exception), retry.RetryDelay.TotalSeconds);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    /// <summary>What another try with the same bytes may change.</summary>
    internal static bool IsTransient(RpcException error) =>
        RejectReasons.Parse(error.Trailers.GetValue(ProtocolLimits.ReasonTrailer)) is { } reason
            ? reason.IsTransient()
            : error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Aborted or StatusCode.Internal or StatusCode.Cancelled;

    private static string Describe(Exception? error) => error is RpcException rpc ? $"{rpc.StatusCode}, {rpc.Status.Detail}" : error?.Message ?? "";
}
