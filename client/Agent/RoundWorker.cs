using System.Threading.Channels;
using Federated.Shared.Protocol;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Polly;

namespace Federated.Client.Agent;

/// <summary>Works off plans one at a time: fetch, train, upload. It lives across connections, so training goes on while the coordinator restarts.</summary>
public sealed class RoundWorker(
    ILocalRound local, RoundWorkspace workspace, Federation.FederationClient coordinator, ResiliencePipeline retries, TimeProvider clock, ILogger log)
{
    private readonly Channel<RoundPlan> _plans = Channel.CreateUnbounded<RoundPlan>(new() { SingleReader = true });
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RoundKey> _newest = new(StringComparer.Ordinal);
    private (RoundKey Key, CancellationTokenSource Stop)? _current;

    /// <summary>What to tell the coordinator; set by the session that holds the stream.</summary>
    public Action<AgentEvent>? Report { get; set; }

    /// <summary>Name of this site, as the coordinator knows it.</summary>
    public string Site { get; set; } = "";

    /// <summary>Takes a plan; one that is already queued or in work is taken once, an older one of the same run is dropped.</summary>
    public void Enqueue(RoundPlan plan)
    {
        RoundKey key = RoundKey.Of(plan);
        lock (_gate)
        {
            if (_newest.TryGetValue(key.Run, out RoundKey known) && known == key)
                return;

            _newest[key.Run] = key;
            if (_current is { } current && current.Key.Run == key.Run)
                current.Stop.Cancel();
        }

        _plans.Writer.TryWrite(plan);
    }

    /// <summary>Stops work on a round that closed without us.</summary>
    public void Abandon(RoundKey key)
    {
        lock (_gate)
        {
            if (_newest.TryGetValue(key.Run, out RoundKey known) && known == key)
                _newest.Remove(key.Run);
            if (_current is { } current && current.Key == key)
                current.Stop.Cancel();
        }
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await foreach (RoundPlan plan in _plans.Reader.ReadAllAsync(stopping))
        {
            RoundKey key = RoundKey.Of(plan);
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            if (!Begin(key, stop))
                continue;

            try
            {
                await WorkAsync(plan, key, stop.Token);
                workspace.Forget(plan);
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                log.LogInformation("{Key}: closed, work on it stops", key);
                workspace.Forget(plan);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Fail(plan, key, e);
            }
            finally
            {
                End(key);
            }
        }
    }

    private bool Begin(RoundKey key, CancellationTokenSource stop)
    {
        lock (_gate)
        {
            if (!_newest.TryGetValue(key.Run, out RoundKey newest) || newest != key)
                return false;

            _current = (key, stop);
            return true;
        }
    }

    private void End(RoundKey key)
    {
        lock (_gate)
        {
            _current = null;
            // Forgotten, so that the same plan may come again: after a restart the coordinator may not know our update.
            if (_newest.TryGetValue(key.Run, out RoundKey newest) && newest == key)
                _newest.Remove(key.Run);
        }
    }

    private async Task WorkAsync(RoundPlan plan, RoundKey key, CancellationToken cancellation)
    {
        PlanCheck.Validate(plan);
        UpdateManifest manifest = workspace.Kept(key) ?? await TrainAsync(plan, key, cancellation);
        bool isNew = await retries.ExecuteAsync(
            async token => await UpdateUploader.SendAsync(coordinator, manifest, workspace.UpdatePath(key), clock, token), cancellation);
        log.LogInformation("{Key}: update of {Bytes} bytes {Outcome}", key, manifest.Content.Length, isNew ? "accepted" : "was already accepted");
    }

    private async Task<UpdateManifest> TrainAsync(RoundPlan plan, RoundKey key, CancellationToken cancellation)
    {
        RoundFiles files = await retries.ExecuteAsync(async token => await workspace.PrepareAsync(plan, coordinator, token), cancellation);
        string path = workspace.UpdatePath(key);
        log.LogInformation("{Key}: training {Steps} steps", key, plan.Training.Steps);

        // A thread of its own: training blocks for minutes, and dispose scopes belong to one thread.
        LocalRoundResult result = await Task.Factory.StartNew(
            () => local.Train(plan, Site, files, path, progress => Report?.Invoke(Progress(plan, progress)), cancellation),
            cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        await using FileStream update = File.OpenRead(path);
        UpdateManifest manifest = new()
        {
            Run = plan.Run,
            Round = plan.Round,
            Attempt = plan.Attempt,
            Site = Site,
            Content = new() { Sha256 = ContentHash.Of(update).ToArray(), Length = update.Length },
            Examples = result.Examples,
            Metrics = result.Metrics,
        };
        workspace.Keep(key, manifest);
        return manifest;
    }

    private void Fail(RoundPlan plan, RoundKey key, Exception error)
    {
        RejectReason? reason = error is RpcException refusal ? RejectReasons.Parse(refusal.Trailers.GetValue(ProtocolLimits.ReasonTrailer)) : null;
        if (reason is RejectReason.RoundClosed or RejectReason.WrongAttempt)
        {
            log.LogInformation("{Key}: the round went on without this update", key);
            workspace.Forget(plan);
            return;
        }

        log.LogError(error, "{Key}: failed", key);
        // Only our own messages travel: another exception's text could quote the private data.
        string detail = error is FederatedException or RpcException or Data.DataFormatException ? error.Message : error.GetType().Name;
        Report?.Invoke(new() { Failed = new() { Run = key.Run, Round = (uint)key.Round, Attempt = (uint)key.Attempt, Reason = detail } });
    }

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
