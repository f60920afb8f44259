namespace Federated.Simulations.Processes;

/// <summary>A process ended with an exit code other than 0.</summary>
public sealed class ProcessFailedException(FleetProcess process, int exitCode)
    : Exception($"{process.Name} ended with exit code {exitCode}. Its log is {process.LogPath}; the last lines:{Environment.NewLine}{process.Tail()}")
{
    /// <summary>The exit code.</summary>
    public int ExitCode { get; } = exitCode;
}
