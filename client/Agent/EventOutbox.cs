using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>What waits to go up one task stream: every failure, and of each run's progress only the newest.</summary>
/// <remarks>Progress is worth nothing once it is old: a slow line drops it instead of holding up training. Safe for concurrent use.</remarks>
/// <param name="runs">Runs that the stream was opened for; the coordinator takes events of no others.</param>
internal sealed class EventOutbox(IReadOnlySet<string> runs)
{
    private readonly Lock _gate = new();
    private readonly Queue<AgentEvent> _failures = new();
    private readonly Dictionary<string, AgentEvent> _progress = new(StringComparer.Ordinal);
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Puts an event in; one of another run is dropped.</summary>
    public void Post(AgentEvent happened)
    {
        lock (_gate)
        {
            if (happened.Failed is { } failed && runs.Contains(failed.Run))
                _failures.Enqueue(happened);
            else if (happened.Progress is { } progress && runs.Contains(progress.Run))
                _progress[progress.Run] = happened;
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>Events as they come, until cancelled.</summary>
    public async IAsyncEnumerable<AgentEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            while (TryTake(out AgentEvent? next))
                yield return next;
            await _signal.Reader.ReadAsync(cancellation);
        }
    }

    private bool TryTake([NotNullWhen(true)] out AgentEvent? next)
    {
        lock (_gate)
        {
            if (_failures.TryDequeue(out next))
                return true;

            string? run = _progress.Keys.FirstOrDefault();
            return run is not null && _progress.Remove(run, out next);
        }
    }
}
