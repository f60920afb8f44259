using Federated.Shared.Protocol;

namespace Federated.Coordinator.Endpoints;

/// <summary>Whether the coordinator takes calls.</summary>
internal sealed class Readiness
{
    private volatile State _state = State.Recovering;

    private enum State
    {
        Recovering,
        Ready,
        Stopping,
    }

    /// <summary>Told after every change.</summary>
    public Rounds.ChangeSignal Changes { get; } = new();

    /// <summary>True between the end of recovery and the begin of the stop.</summary>
    public bool IsReady => _state == State.Ready;

    /// <summary>Recovery is over.</summary>
    public void Ready() => Become(State.Ready);

    /// <summary>The stop has begun.</summary>
    public void Stop() => Become(State.Stopping);

    /// <summary>Refuses calls that come too early or too late.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.Recovering"/> or <see cref="RejectReason.Stopping"/>.</exception>
    public void Demand()
    {
        switch (_state)
        {
            case State.Recovering:
                throw new FederatedException(RejectReason.Recovering, "The coordinator is starting and reads its journal. Try again in a moment.");
            case State.Stopping:
                throw new FederatedException(RejectReason.Stopping, "The coordinator is stopping. Try again when it is back.");
        }
    }

    private void Become(State state)
    {
        _state = state;
        Changes.Pulse();
    }
}
