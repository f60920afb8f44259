using System.Threading.Channels;
using Federated.Tests.Support;

namespace Federated.Client.Tests.Agent;

/// <summary>Time that a test moves, and that knows who waits: back-off delays are told apart from the time limits of calls.</summary>
internal sealed class DelayClock : TimeProvider
{
    private readonly TestClock _time = new();
    private readonly Channel<TimeSpan> _delays = Channel.CreateUnbounded<TimeSpan>();

    /// <summary>Every back-off delay so far, in order.</summary>
    public List<TimeSpan> Delays { get; } = [];

    public override long TimestampFrequency => _time.TimestampFrequency;

    public override long GetTimestamp() => _time.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = _time.CreateTimer(callback, state, dueTime, period);
        if (state is not CancellationTokenSource && dueTime > TimeSpan.Zero)
        {
            lock (Delays)
                Delays.Add(dueTime);
            _delays.Writer.TryWrite(dueTime);
        }

        return timer;
    }

    public void Advance(TimeSpan by) => _time.Advance(by);

    /// <summary>Lets every back-off delay pass at once until <paramref name="done"/>.</summary>
    public async Task PassDelaysUntilAsync(Task done)
    {
        using CancellationTokenSource end = new();
        while (!done.IsCompleted)
        {
            Task<bool> waiting = _delays.Reader.WaitToReadAsync(end.Token).AsTask();
            await Task.WhenAny(done, waiting).WaitAsync(Patience.Limit);
            if (!done.IsCompleted && _delays.Reader.TryRead(out TimeSpan delay))
                Advance(delay);
        }

        await end.CancelAsync();
        await done;
    }
}

/// <summary>What keeps a broken test from hanging; no outcome depends on it.</summary>
internal static class Patience
{
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(5);

    public static async Task<T> NextAsync<T>(this ChannelReader<T> reader) => await reader.ReadAsync().AsTask().WaitAsync(Limit);
}
