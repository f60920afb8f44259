namespace Federated.Coordinator.Endpoints;

/// <summary>What ends the process: the first such error is kept for the exit code, and the stop begins.</summary>
internal sealed class FatalErrors(IHostApplicationLifetime lifetime, ILogger<FatalErrors> log)
{
    private Exception? _first;

    /// <summary>The first fatal error; null when there was none.</summary>
    public Exception? First => Volatile.Read(ref _first);

    /// <summary>Begins the stop.</summary>
    public void Stop(Exception error)
    {
        if (Interlocked.CompareExchange(ref _first, error, null) is not null)
            return;

        log.LogCritical(error, "the coordinator stops: {Error}", error.Message);
        lifetime.StopApplication();
    }
}
