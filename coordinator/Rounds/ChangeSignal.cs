namespace Federated.Coordinator.Rounds;

/// <summary>Tells any number of watchers that something changed. A watcher takes <see cref="Next"/> before it looks, then waits for it: no change is missed.</summary>
internal sealed class ChangeSignal
{
    private volatile TaskCompletionSource _next = NewSource();

    /// <summary>Completes at the next change.</summary>
    public Task Next => _next.Task;

    /// <summary>Wakes everyone who waits.</summary>
    public void Pulse() => Interlocked.Exchange(ref _next, NewSource()).SetResult();

    // Asynchronously: the one who pulses must not run the watchers' code.
    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
