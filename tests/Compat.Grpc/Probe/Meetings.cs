using System.Collections.Concurrent;

namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>Where a test and the server meet: both name the call by its id and wait for each other, so that nothing waits for time.</summary>
public sealed class Meetings
{
    private readonly ConcurrentDictionary<string, Meeting> _meetings = new(StringComparer.Ordinal);

    public Meeting this[string id] => _meetings.GetOrAdd(id, _ => new Meeting());
}

/// <summary>The points of one call that somebody may wait for.</summary>
public sealed class Meeting
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _written;

    /// <summary>The handler runs.</summary>
    public Task Started => _started.Task;

    /// <summary>The handler's token has fired.</summary>
    public Task Cancelled => _cancelled.Task;

    /// <summary>Messages the handler has written.</summary>
    public int Written => Volatile.Read(ref _written);

    /// <summary>Lets a waiting handler go on.</summary>
    public void Release() => _released.TrySetResult();

    public void CountWritten() => Interlocked.Increment(ref _written);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        _started.TrySetResult();
        try
        {
            await _released.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _cancelled.TrySetResult();
            throw;
        }
    }
}
