using System.Diagnostics;
using Federated.Coordinator.Store;

namespace Federated.Coordinator.Tests.Support;

/// <summary>The coordinator as its own process, for what only a process can show: exit codes, signals, being killed.</summary>
internal sealed class CoordinatorProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _error;
    private readonly Task<string> _output;

    private CoordinatorProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        _output = process.StandardOutput.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>Starts the program with any arguments.</summary>
    public static CoordinatorProcess Start(string? failPoint, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "Federated.Coordinator.dll"), .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment[FailPoints.Variable] = failPoint ?? "";
        return new(Process.Start(start)!);
    }

    /// <summary>Starts a coordinator on a world's state and runs.</summary>
    public static CoordinatorProcess Serve(TestWorld world, string? failPoint = null, params string[] more)
    {
        File.Delete(EndpointFile(world));
        return Start(failPoint,
        [
            "serve", .. world.Runs.SelectMany(run => (string[])["--run", run]), "--state", world.State, "--tokens", world.TokenFile,
            "--listen", "http://127.0.0.1:0", "--endpoint-file", EndpointFile(world), .. more,
        ]);
    }

    /// <summary>Waits for the address that the coordinator publishes once it takes calls.</summary>
    public async Task<Uri> AddressAsync(TestWorld world)
    {
        string folder = Path.GetDirectoryName(EndpointFile(world))!;
        using FileSystemWatcher watcher = new(folder) { EnableRaisingEvents = true };
        while (!File.Exists(EndpointFile(world)))
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"the coordinator ended with {_process.ExitCode}: {await _error}");
            // Wakes at the rename; the limit only lets it look whether the process is still there.
            await Task.Run(() => watcher.WaitForChanged(WatcherChangeTypes.All, 200));
        }

        return new(File.ReadAllLines(EndpointFile(world))[0]);
    }

    public void Kill() => _process.Kill();

    /// <summary>Asks the process to stop (SIGTERM).</summary>
    public void Terminate()
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end.</summary>
    public async Task<(int Code, string Output, string Error)> EndAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(2));
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, await _output, await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private static string EndpointFile(TestWorld world) => Path.Combine(world.Folder, "endpoint");
}
