using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Coordinator.Endpoints;

/// <summary>What operators may see.</summary>
internal sealed class OperationsService(CallerGate gate, SnapshotBuilder snapshots, ChangeSignal changes, TimeProvider clock, IHostApplicationLifetime lifetime)
    : Operations.OperationsBase
{
    private const int MostRuns = 1000;

    /// <summary>Agents report every step; nobody watches faster than this.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc/>
    public override async Task Watch(WatchRequest request, IServerStreamWriter<CoordinatorSnapshot> responseStream, ServerCallContext context)
    {
        gate.DemandOperator(context);
        if (request.Runs.Count > MostRuns)
            throw new FederatedException(RejectReason.Malformed, $"{request.Runs.Count} runs are named, at most {MostRuns} may be. Name none to watch all.");

        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            while (true)
            {
                Task changed = changes.Next;
                await responseStream.WriteAsync(snapshots.Build(request.Runs), end.Token);
                await changed.WaitAsync(end.Token);
                await Task.Delay(ShortestPause, clock, end.Token);
            }
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The last word before the stream ends.
            await responseStream.WriteAsync(snapshots.Build(request.Runs), context.CancellationToken);
        }
    }
}
