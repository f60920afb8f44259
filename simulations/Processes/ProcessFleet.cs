using System.Collections.Concurrent;
using System.Diagnostics;

namespace Federated.Simulations.Processes;

/// <summary>Starts real processes, writes each one's output to a log of its own, and leaves none behind.</summary>
/// <remarks>
/// Disposing asks every process to stop (SIGTERM), waits, then kills. When this process itself is killed, the kernel
/// does the asking: children are started through <c>setpriv --pdeathsig</c> from one thread that lives as long as the
/// fleet, because the signal belongs to the thread that forked.
/// </remarks>
public sealed class ProcessFleet : IAsyncDisposable
{
    private const string Setpriv = "/usr/bin/setpriv";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _logs;
    private readonly List<FleetProcess> _processes = [];
    private readonly BlockingCollection<Action> _launches = [];
    private readonly Thread _launcher;

    /// <summary>A fleet that logs to <paramref name="logs"/>, which is made when missing.</summary>
    public ProcessFleet(string logs)
    {
        _logs = Directory.CreateDirectory(logs).FullName;
        _launcher = new(() =>
        {
            foreach (Action launch in _launches.GetConsumingEnumerable())
                launch();
        })
        {
            IsBackground = true,
            Name = "process launcher",
        };
        _launcher.Start();
    }

    /// <summary>Starts a program of this build: <paramref name="assembly"/> with <paramref name="arguments"/>.</summary>
    /// <param name="name">Name of the process; its log is <c>NAME.log</c>.</param>
    /// <param name="assembly">Path of a managed executable's assembly.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables on top of this process's own.</param>
    public async Task<FleetProcess> StartAsync(
        string name, string assembly, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = Describe(assembly, arguments, environment);
        string log = Path.Combine(_logs, name + ".log");
        TaskCompletionSource<FleetProcess> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _launches.Add(() =>
        {
            try
            {
                started.SetResult(FleetProcess.Start(name, log, start));
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        FleetProcess process = await started.Task;
        lock (_processes)
            _processes.Add(process);
        return process;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        FleetProcess[] all;
        lock (_processes)
            all = [.. _processes];
        await Task.WhenAll(all.Select(process => process.StopAsync(Patience)));
        _launches.CompleteAdding();
        _launcher.Join();
        _launches.Dispose();
    }

    private static ProcessStartInfo Describe(string assembly, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        // Under this program's own dependencies: they include those of the programs it starts, which lie beside it.
        string self = Path.ChangeExtension(typeof(ProcessFleet).Assembly.Location, null);
        List<string> command = [host, "exec", "--runtimeconfig", self + ".runtimeconfig.json", "--depsfile", self + ".deps.json", assembly, .. arguments];
        if (File.Exists(Setpriv))
            command.InsertRange(0, [Setpriv, "--pdeathsig", "TERM", "--"]);

        ProcessStartInfo start = new(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        return start;
    }
}
