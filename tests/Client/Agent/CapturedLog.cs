using Federated.Client.Agent;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Tests.Agent;

/// <summary>Keeps every line with its exception.</summary>
internal sealed class CapturedLog : ILogger<AgentLoop>
{
    private readonly List<string> _lines = [];
    private readonly List<(string Text, TaskCompletionSource Found)> _waiting = [];

    public string Text
    {
        get
        {
            lock (_lines)
                return string.Join(Environment.NewLine, _lines);
        }
    }

    /// <summary>Returns once a line has that text.</summary>
    public async Task WaitAsync(string text)
    {
        TaskCompletionSource found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lines)
        {
            if (_lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
                return;
            _waiting.Add((text, found));
        }

        await found.Task.WaitAsync(Patience.Limit);
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string line = $"{formatter(state, exception)} {exception}";
        lock (_lines)
        {
            _lines.Add(line);
            foreach ((_, TaskCompletionSource found) in _waiting.Where(one => line.Contains(one.Text, StringComparison.Ordinal)))
                found.TrySetResult();
        }
    }
}
