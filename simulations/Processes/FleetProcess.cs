using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Federated.Simulations.Processes;

/// <summary>One started process, its log and its end.</summary>
public sealed partial class FleetProcess
{
    private const int TailLines = 15;
    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly Queue<string> _tail = new();
    private readonly List<(string Text, TaskCompletionSource<string> Seen)> _awaited = [];

    private FleetProcess(string name, string logPath, StreamWriter log, Process process)
    {
        (Name, LogPath, _process) = (name, logPath, process);
        Exited = WaitAsync(log);
    }

    /// <summary>Name given at the start.</summary>
    public string Name { get; }

    /// <summary>File with everything the process printed.</summary>
    public string LogPath { get; }

    /// <summary>Process id.</summary>
    public int Id => _process.Id;

    /// <summary>Completes with the exit code when the process has ended and its log is whole.</summary>
    public Task<int> Exited { get; }

    internal static FleetProcess Start(string name, string logPath, ProcessStartInfo start)
    {
        // The log first: a process whose output nobody can keep is not started.
        StreamWriter log = new(new FileStream(logPath, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0)) { AutoFlush = true };
        try
        {
            Process process = Process.Start(start)!;
            process.StandardInput.Close();
            return new(name, logPath, log, process);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Waits for a successful end.</summary>
    /// <exception cref="ProcessFailedException">The process ended with another exit code than 0.</exception>
    public async Task SucceedAsync(CancellationToken cancellation)
    {
        int code = await Exited.WaitAsync(cancellation);
        if (code != 0)
            throw new ProcessFailedException(this, code);
    }

    /// <summary>Waits for a line of output that holds <paramref name="text"/>; lines printed before the call count when they are recent.</summary>
    /// <exception cref="ProcessFailedException">The process ended without printing it.</exception>
    public async Task<string> LineAsync(string text, CancellationToken cancellation)
    {
        TaskCompletionSource<string> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_tail)
        {
            if (_tail.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } present)
                return present;

            _awaited.Add((text, seen));
        }

        await Task.WhenAny(seen.Task, Exited).WaitAsync(cancellation);
        return seen.Task.IsCompleted ? await seen.Task : throw new ProcessFailedException(this, await Exited);
    }

    /// <summary>The last lines of the log.</summary>
    public string Tail()
    {
        lock (_tail)
            return string.Join(Environment.NewLine, _tail);
    }

    /// <summary>Asks the process to stop; kills it when it has not within <paramref name="patience"/>.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        if (!Exited.IsCompleted)
            Signal(_process.Id, SigTerm);
        try
        {
            await Exited.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            await Exited;
        }
    }

    /// <summary>Ends the process at once, as a crash would.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    private async Task<int> WaitAsync(StreamWriter log)
    {
        await using (log.BaseStream)
            await Task.WhenAll(CopyAsync(_process.StandardOutput, log), CopyAsync(_process.StandardError, log));
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    private async Task CopyAsync(StreamReader output, StreamWriter log)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            lock (_tail)
            {
                Write(log, line);
                _tail.Enqueue(line);
                if (_tail.Count > TailLines)
                    _tail.Dequeue();
                foreach ((_, TaskCompletionSource<string> seen) in _awaited.Where(wait => line.Contains(wait.Text, StringComparison.Ordinal)))
                    seen.TrySetResult(line);
            }
        }
    }

    /// <summary>A full disk costs the log, not the process: its output is read on, and the tail still tells what it said.</summary>
    private static void Write(StreamWriter log, string line)
    {
        try
        {
            log.WriteLine(line);
        }
        catch (IOException)
        {
            // This line is missing from the log.
        }
    }

    private static void Signal(int id, int signal)
    {
        if (!OperatingSystem.IsWindows())
            _ = SendSignal(id, signal);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int id, int signal);
}
