using System.Threading.Channels;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>The single writer of one run: takes events one after the other, has <see cref="RoundPolicy"/> decide, makes the facts durable, then acts.</summary>
/// <remarks>
/// Up to 64 events that wait together share one transaction. Nothing here reads a wall clock, starts a thread or waits for
/// anything but its mailbox, so that a scheduler of a test can drive it.
/// </remarks>
internal sealed class RunLoop
{
    private const int LargestBatch = 64;

    private static readonly TimeSpan RetryWhenFull = TimeSpan.FromSeconds(5);

    private static readonly UpdateVerdict Stopping = UpdateVerdict.Refused(RejectReason.Stopping, "The coordinator is stopping. Try again when it is back.");

    private readonly RunServices _services;
    private readonly RoundAggregator _aggregator;
    private readonly Channel<RunEvent> _mailbox = Channel.CreateUnbounded<RunEvent>(new() { SingleReader = true });
    private readonly long _start;
    private readonly ITimer _timer;
    private IReadOnlyDictionary<string, SiteTraffic> _trafficAtOpening = new Dictionary<string, SiteTraffic>();
    private (int Round, int Attempt) _measured;
    private volatile RunState _state;

    /// <summary>Prepares the loop of a run that stands at <paramref name="state"/>.</summary>
    /// <param name="services">What it acts through.</param>
    /// <param name="aggregator">Folds its rounds.</param>
    /// <param name="state">The replayed state; an open round keeps at least <see cref="RunState.GraceAfterStart"/>.</param>
    public RunLoop(RunServices services, RoundAggregator aggregator, RunState state)
    {
        _services = services;
        _aggregator = aggregator;
        _start = services.Clock.GetTimestamp();
        _state = state;
        _timer = services.Clock.CreateTimer(_ => Post(new TimePassed()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Name of the run.</summary>
    public string Run => _state.Definition.Run;

    /// <summary>Where the run stands.</summary>
    public RunState State => _state;

    /// <summary>Called once, when the run has ended.</summary>
    public Action? Ended { get; set; }

    /// <summary>Puts an event into the mailbox; never waits.</summary>
    public void Post(RunEvent happened) => _mailbox.Writer.TryWrite(happened);

    /// <summary>Offers an update whose bytes are durable and checked.</summary>
    /// <returns>The verdict, once it is durable.</returns>
    public Task<UpdateVerdict> OfferAsync(UpdateManifest manifest, double norm)
    {
        TaskCompletionSource<UpdateVerdict> ticket = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return _mailbox.Writer.TryWrite(new UpdateOffered(manifest, norm, ticket)) ? ticket.Task : Task.FromResult(Stopping);
    }

    /// <summary>Runs until stopped. An exception from here means that the process must stop.</summary>
    /// <exception cref="FlushFailedException">The disk did not confirm a write.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        List<RunEvent> batch = [new Resumed(Traffic())];
        try
        {
            do
            {
                Process(batch, stopping);
                batch.Clear();
            }
            while (await FillAsync(batch, stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Everything that counts is durable already.
        }
        finally
        {
            await _timer.DisposeAsync();
            Refuse(batch);
        }
    }

    private async ValueTask<bool> FillAsync(List<RunEvent> batch, CancellationToken stopping)
    {
        if (!await _mailbox.Reader.WaitToReadAsync(stopping))
            return false;
        while (batch.Count < LargestBatch && _mailbox.Reader.TryRead(out RunEvent? next))
            batch.Add(next);
        return true;
    }

    private void Process(List<RunEvent> batch, CancellationToken stopping)
    {
        Queue<RunEvent> followUps = new();
        Step(batch, followUps, stopping);
        while (followUps.TryDequeue(out RunEvent? next))
            Step([next], followUps, stopping);

        bool waits = _state is { Phase: RunPhase.Training };
        if (waits)
            _timer.Change(TimeSpan.FromMilliseconds(_state.Open!.Remaining(Now)), Timeout.InfiniteTimeSpan);
    }

    private void Step(IReadOnlyList<RunEvent> events, Queue<RunEvent> followUps, CancellationToken stopping)
    {
        RunDecision decision = RunDecision.None(_state);
        foreach (RunEvent happened in events)
        {
            RunDecision next = RoundPolicy.Decide(decision.State, happened, Now);
            decision = new(next.State, decision.Records.AddRange(next.Records), decision.Effects.AddRange(next.Effects));
        }

        if (!TryPersist(decision, events))
            return;

        // Whoever sees that the run has ended may look for its adapter.
        if (decision.State.Ended && !_state.Ended)
            _services.Exporter.Export(decision.State);
        _state = decision.State;
        MeasureFromOpening();
        _services.Changes.Pulse();
        foreach (RunEffect effect in decision.Effects)
            Perform(effect, followUps, stopping);
    }

    private bool TryPersist(RunDecision decision, IReadOnlyList<RunEvent> events)
    {
        try
        {
            DemandSpace(decision);
            _services.Journal.Append([.. decision.Records]);
        }
        catch (DiskFullException e)
        {
            HoldBack(decision, events, e);
            return false;
        }

        if (decision.Records.OfType<UpdateAccepted>().Any())
            _services.FailPoints.Reach(FailPoints.RecordFlushed);
        if (decision.Records.OfType<RoundCommitted>().Any())
            _services.FailPoints.Reach(FailPoints.Committed);
        RunDiary.Tell(_services.Log, _state.Definition, decision.Records);
        return true;
    }

    /// <summary>A round opens only if its worst case fits: an update from everyone, the aggregate, and as much again to work with.</summary>
    private void DemandSpace(RunDecision decision)
    {
        foreach (RoundOpened opening in decision.Records.OfType<RoundOpened>())
            _services.Blobs.Demand(((opening.Cohort.Count + 2) * opening.Plan.Global.Length) + BlobStore.Watermark);
    }

    /// <summary>Nothing of the decision was written: senders are told to come again, and the run tries again in a while.</summary>
    private void HoldBack(RunDecision decision, IReadOnlyList<RunEvent> events, DiskFullException full)
    {
        _services.Log.LogWarning("run {Run}: {Error} Trying again in {Seconds} s.", Run, full.Message, RetryWhenFull.TotalSeconds);
        _state = _state with { Present = decision.State.Present, MayBegin = decision.State.MayBegin, Detail = "the coordinator's disk is full" };
        foreach (UpdateOffered offer in events.OfType<UpdateOffered>())
            Settle(offer.Ticket, UpdateVerdict.Refused(RejectReason.StorageFull, full.Message));
        RetryLater();
        _services.Changes.Pulse();
    }

    private void RetryLater()
    {
        ITimer? timer = null;
        timer = _services.Clock.CreateTimer(_ =>
        {
            timer?.Dispose();
            Post(new Resumed(Traffic()));
        }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(RetryWhenFull, Timeout.InfiniteTimeSpan);
    }

    private void Perform(RunEffect effect, Queue<RunEvent> followUps, CancellationToken stopping)
    {
        switch (effect)
        {
            case SendPlan e:
                Send(e.Site, new() { Train = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(Records.Encode(e.Plan)) });
                break;
            case SendClosed e:
                Send(e.Site, new() { Closed = new() { Run = Run, Round = (uint)e.Round, Attempt = (uint)e.Attempt } });
                break;
            case SendFinished e:
                Send(e.Site, new() { Finished = Finished() });
                break;
            case Answer e:
                Settle(e.Ticket, e.Verdict);
                break;
            case ReleaseUpdates e:
                foreach (BlobReference update in e.Updates)
                    _services.Blobs.Release(new(update.Sha256));
                break;
            case RunAggregation:
                Aggregate(followUps, stopping);
                break;
            case FinishRun:
                Ended?.Invoke();
                break;
            default:
                throw new InvalidOperationException($"No action for {effect.GetType().Name}.");
        }
    }

    private void Aggregate(Queue<RunEvent> followUps, CancellationToken stopping)
    {
        try
        {
            AggregateWritten record = _aggregator.Fold(_state, stopping);
            _state = _state.Apply(record, Now);
            _services.FailPoints.Reach(FailPoints.AggregateWritten);
            followUps.Enqueue(new AggregateDone(record, Traffic()));
        }
        catch (Aggregation.AggregationException e)
        {
            _services.Log.LogError("run {Run}, round {Round}: {Error}", Run, _state.Open!.Plan.Round, e.Message);
            followUps.Enqueue(new AggregateFailed(e.Message, e.Site));
        }
        catch (IOException e) when (DiskErrors.IsFull(e))
        {
            _services.Log.LogWarning("run {Run}: the disk is full, the aggregate waits {Seconds} s. Free space on it.", Run, RetryWhenFull.TotalSeconds);
            _state = _state with { Detail = "the coordinator's disk is full" };
            _services.Changes.Pulse();
            RetryLater();
        }
    }

    private RunFinished Finished() => new()
    {
        Run = Run,
        Succeeded = _state.Phase == RunPhase.Finished,
        Detail = _state.Detail,
        AdapterSha256 = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(_state.Global.Sha256),
    };

    private void Send(string site, AgentTask task) => _services.Links.Send(Run, site, task);

    private static void Settle(object ticket, UpdateVerdict verdict) => ((TaskCompletionSource<UpdateVerdict>)ticket).TrySetResult(verdict);

    /// <summary>The loop is over: whoever still waits for an answer is told to come again.</summary>
    private void Refuse(List<RunEvent> inHand)
    {
        _mailbox.Writer.TryComplete();
        while (_mailbox.Reader.TryRead(out RunEvent? left))
            inHand.Add(left);
        foreach (UpdateOffered offer in inHand.OfType<UpdateOffered>())
            Settle(offer.Ticket, Stopping);
    }

    private TimeSpan Now => _services.Clock.GetElapsedTime(_start);

    private void MeasureFromOpening()
    {
        if (_state.Open is not { } open || _measured == (open.Plan.Round, open.Plan.Attempt))
            return;

        _measured = (open.Plan.Round, open.Plan.Attempt);
        _trafficAtOpening = _services.Links.Traffic(open.Cohort);
    }

    private Dictionary<string, SiteTraffic> Traffic()
    {
        if (_state.Open is not { } open)
            return [];

        return _services.Links.Traffic(open.Cohort).ToDictionary(
            now => now.Key,
            now => _trafficAtOpening.GetValueOrDefault(now.Key) is var before
                ? new SiteTraffic(now.Value.Received - before.Received, now.Value.Sent - before.Sent)
                : now.Value,
            StringComparer.Ordinal);
    }
}
