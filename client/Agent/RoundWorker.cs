using System.Threading.Channels;
using Federated.Shared.Protocol;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Polly;

namespace Federated.Client.Agent;

/// <summary>Works off plans one at a time: fetch, train, upload. It lives across connections, so training goes on while the coordinator restarts.</summary>
/// <remarks>Of each run at most one plan waits: a newer one replaces it and stops work on its predecessor. Members are safe for concurrent use.</remarks>
public sealed class RoundWorker(
    ILocalRound local, RoundWorkspace workspace, Federation.FederationClient coordinator, ResiliencePipeline retries, TimeProvider clock, ILogger log)
{
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private readonly List<RoundTask> _waiting = [];
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private (RoundTask Task, CancellationTokenSource Stop)? _current;
    private volatile Action<AgentEvent>? _report;

    /// <summary>Where events go from now on; null while there is no stream: then they are dropped, since what is open is pushed again.</summary>
    public void ReportTo(Action<AgentEvent>? report) => _report = report;

    /// <summary>Takes a task; the one in work already, pushed again, goes on undisturbed.</summary>
    public void Enqueue(RoundTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        lock (_gate)
        {
            _waiting.RemoveAll(other => other.Key.Run == task.Key.Run);
            if (_current is { } current && current.Task.Identity == task.Identity && !current.Stop.IsCancellationRequested)
                return;

            _waiting.Add(task);
            Stop(other => other.Key.Run == task.Key.Run);
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>Stops work on a round that closed without us.</summary>
    public void Abandon(RoundKey key) => Drop(task => task.Key == key);

    /// <summary>Stops work on runs that the coordinator no longer lists.</summary>
    public void Retain(IReadOnlySet<string> runs) => Drop(task => !runs.Contains(task.Key.Run));

    /// <summary>Stops work on a run and deletes what it left behind.</summary>
    public void End(string run)
    {
        Drop(task => task.Key.Run == run);
        lock (_gate)
            _ended.Add(run);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Works until cancelled; then training has stopped too.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await _signal.Reader.ReadAsync(stopping);
            foreach (string run in TakeEnded())
                workspace.ForgetRun(run);
            while (!stopping.IsCancellationRequested)
            {
                using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                if (Begin(stop) is not { } task)
                    break;

                await WorkOffAsync(task, stop.Token, stopping);
            }
        }
    }

    private async Task WorkOffAsync(RoundTask task, CancellationToken stop, CancellationToken stopping)
    {
        try
        {
            await WorkUnlessClosedAsync(task, stop, stopping);
        }
        catch (Exception e) when (!(e is OperationCanceledException && stopping.IsCancellationRequested))
        {
            Fail(task, e);
        }
        finally
        {
            lock (_gate)
                _current = null;
        }
    }

    private async Task WorkUnlessClosedAsync(RoundTask task, CancellationToken stop, CancellationToken stopping)
    {
        try
        {
            await WorkAsync(task, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            log.LogInformation("{Key}: closed or superseded, work on it stops", task.Key);
            workspace.Forget(task);
        }
    }

    private async Task WorkAsync(RoundTask task, CancellationToken cancellation)
    {
        workspace.Begin(task);
        UpdateManifest manifest = workspace.Kept(task) ?? await TrainAsync(task, cancellation);
        bool isNew = await retries.ExecuteAsync(
            async token => await UpdateUploader.SendAsync(coordinator, manifest, workspace.UpdatePath(task), clock, token), cancellation);
        log.LogInformation("{Key}: update of {Bytes} bytes {Outcome}", task.Key, manifest.Content.Length, isNew ? "accepted" : "was already accepted");
        workspace.Done(task);
    }

    private async Task<UpdateManifest> TrainAsync(RoundTask task, CancellationToken cancellation)
    {
        RoundPlan plan = task.Plan;
        RoundFiles files = await retries.ExecuteAsync(async token => await workspace.PrepareAsync(plan, coordinator, token), cancellation);
        string path = workspace.UpdatePath(task);
        log.LogInformation("{Key}: training {Steps} steps", task.Key, plan.Training.Steps);

        // A thread of its own: training blocks for minutes, and dispose scopes belong to one thread.
        LocalRoundResult result = await Task.Factory.StartNew(
            () => local.Train(plan, task.Site, files, path, progress => _report?.Invoke(Progress(plan, progress)), cancellation),
            cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        await using FileStream update = File.OpenRead(path);
        UpdateManifest manifest = new()
        {
            Run = plan.Run,
            Round = plan.Round,
            Attempt = plan.Attempt,
            Site = task.Site,
            Content = new() { Sha256 = ContentHash.Of(update).ToArray(), Length = update.Length },
            Examples = result.Examples,
            Metrics = result.Metrics,
        };
        workspace.Keep(task, manifest);
        return manifest;
    }

    private RoundTask? Begin(CancellationTokenSource stop)
    {
        lock (_gate)
        {
            if (_waiting is not [RoundTask first, ..])
                return null;

            _waiting.RemoveAt(0);
            _current = (first, stop);
            return first;
        }
    }

    private string[] TakeEnded()
    {
        lock (_gate)
        {
            string[] ended = [.. _ended];
            _ended.Clear();
            return ended;
        }
    }

    private void Drop(Predicate<RoundTask> which)
    {
        lock (_gate)
        {
            _waiting.RemoveAll(which);
            Stop(which);
        }
    }

    /// <summary>Within the gate, so that the source is not disposed yet; callbacks run elsewhere, so that they cannot wait for the gate.</summary>
    private void Stop(Predicate<RoundTask> which)
    {
        if (_current is { } current && which(current.Task))
            _ = current.Stop.CancelAsync();
    }

    private void Fail(RoundTask task, Exception error)
    {
        if (error is RpcException refusal && RetryPolicy.ReasonOf(refusal) is RejectReason.RoundClosed or RejectReason.WrongAttempt)
        {
            log.LogInformation("{Key}: the round went on without this update", task.Key);
            return;
        }

        log.LogError("{Key}: failed: {Error}", task.Key, FailureText.ForLog(error));
        _report?.Invoke(Failed(task.Key, FailureText.ForCoordinator(error)));
    }

    /// <summary>Tells the coordinator not to wait for this site in this round.</summary>
    internal static AgentEvent Failed(RoundKey key, string reason) => new()
    {
        Failed = new() { Run = key.Run, Round = (uint)Math.Max(0, key.Round), Attempt = (uint)Math.Max(0, key.Attempt), Reason = reason },
    };

    private static AgentEvent Progress(RoundPlan plan, LocalProgress progress) => new()
    {
        Progress = new()
        {
            Run = plan.Run,
            Round = (uint)plan.Round,
            Step = (uint)progress.Step,
            Steps = (uint)progress.Steps,
            Loss = progress.Loss,
            TokensPerSecond = progress.TokensPerSecond,
        },
    };
}
