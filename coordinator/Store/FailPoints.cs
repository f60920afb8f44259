using System.Diagnostics;
using System.Globalization;

namespace Federated.Coordinator.Store;

/// <summary>Places where a test can have this process killed: the promise "killed at any instant" is tested at exactly these instants.</summary>
/// <remarks>
/// <c>FEDERATED_FAILPOINT=name:count</c> in the environment kills the process with SIGKILL when the place is reached for the
/// <c>count</c>-th time. Without the variable a place costs one comparison.
/// </remarks>
internal sealed class FailPoints
{
    /// <summary>The environment variable.</summary>
    public const string Variable = "FEDERATED_FAILPOINT";

    /// <summary>An update's bytes are durable under their hash; no record of it is.</summary>
    public const string BlobFlushed = "blob-flushed";

    /// <summary>The record of an accepted update is durable; its sender has no answer.</summary>
    public const string RecordFlushed = "record-flushed";

    /// <summary>The sender has been told that its update is accepted.</summary>
    public const string OkSent = "ok-sent";

    /// <summary>Half of the next global adapter has been written.</summary>
    public const string AggregateHalf = "aggregate-half";

    /// <summary>The next global adapter is durable and recorded; the round is not committed.</summary>
    public const string AggregateWritten = "aggregate-written";

    /// <summary>The round is committed and the next one open; nobody has heard of it.</summary>
    public const string Committed = "committed";

    private static readonly string[] Names = [BlobFlushed, RecordFlushed, OkSent, AggregateHalf, AggregateWritten, Committed];

    private readonly string? _name;
    private int _left;

    private FailPoints(string? name, int count)
    {
        _name = name;
        _left = count;
    }

    /// <summary>No place kills.</summary>
    public static FailPoints None { get; } = new(null, 0);

    /// <summary>Reads <see cref="Variable"/>.</summary>
    /// <exception cref="FormatException">It is set to something else than a known name and a count.</exception>
    public static FailPoints FromEnvironment() => Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Reads <c>name:count</c>; null or empty means none.</summary>
    public static FailPoints Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return None;

        string[] parts = text.Split(':');
        if (parts.Length == 2 && Names.Contains(parts[0], StringComparer.Ordinal)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0)
        {
            return new(parts[0], count);
        }

        throw new FormatException($"{Variable} is '{text}'; name:count was expected, the name one of {string.Join(", ", Names)}.");
    }

    /// <summary>Dies here when it is this place's turn.</summary>
    public void Reach(string name)
    {
        if (_name is null || !string.Equals(_name, name, StringComparison.Ordinal) || Interlocked.Decrement(ref _left) != 0)
            return;

        using Process self = Process.GetCurrentProcess();
        self.Kill();
        Thread.Sleep(Timeout.Infinite);
    }
}
