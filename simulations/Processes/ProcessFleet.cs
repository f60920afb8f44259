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
    private bool _closing;

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
    /// <exception cref="ObjectDisposedException">The fleet is being stopped.</exception>
    public async Task<FleetProcess> StartAsync(
        string name, string assembly, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = Describe(assembly, arguments, environment);
        string log = Path.Combine(_logs, name + ".log");
        return await OnLauncherAsync(() =>
        {
            FleetProcess process = FleetProcess.Start(name, log, start);
            _processes.Add(process);
            return process;
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Launches run one after the other: behind the last one allowed, the list is complete and nothing can slip past it.
        FleetProcess[] all = await OnLauncherAsync(() => _processes.ToArray(), last: true);
        await Task.WhenAll(all.Select(process => process.StopAsync(Patience)));
        _launches.CompleteAdding();
        _launcher.Join();
        _launches.Dispose();
    }

    private Task<T> OnLauncherAsync<T>(Func<T> work, bool last = false)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_processes)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            _closing = last;
            _launches.Add(() =>
            {
                try
                {
                    done.SetResult(work());
                }
                catch (Exception e)
                {
                    done.SetException(e);
                }
            });
        }

        return done.Task;
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
