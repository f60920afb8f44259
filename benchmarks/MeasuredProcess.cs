using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Federated.Benchmarks;

/// <summary>Runs one side of a measurement as a process of its own, so that its memory and its caches are its own, and reads the JSON line it prints.</summary>
internal static class MeasuredProcess
{
    /// <summary>A Python 3 with torch and numpy: <c>FEDERATED_PYTHON</c>, or the system's.</summary>
    internal static string Python => Environment.GetEnvironmentVariable("FEDERATED_PYTHON") is { Length: > 0 } given ? given : "/usr/bin/python3";

    /// <summary>A hidden command of this program.</summary>
    internal static T Ours<T>(string[] arguments, int? threads = null, JsonSerializerOptions? json = null)
    {
        // Under 'dotnet Federated.Benchmarks.dll' the process is dotnet, which wants the assembly first.
        string[] host = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(MeasuredProcess).Assembly.Location] : [];
        return Run<T>(Environment.ProcessPath!, [.. host, .. arguments], threads, json);
    }

    /// <summary>A script of <c>benchmarks/peers</c>.</summary>
    internal static T Peer<T>(string script, string[] arguments, int? threads = null, JsonSerializerOptions? json = null, string? python = null) =>
        Run<T>(python ?? Python, [Path.Combine(AppContext.BaseDirectory, "peers", script), .. arguments], threads, json);

    /// <summary>A line of Linux's account of this process (<c>VmRSS</c>, <c>VmHWM</c>), mapped files included; elsewhere the peak working set.</summary>
    internal static double ResidentMiB(string line)
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
            return Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0;

        string text = File.ReadLines("/proc/self/status").First(l => l.StartsWith(line + ":", StringComparison.Ordinal));
        return long.Parse(text.AsSpan()[(line.Length + 1)..^2], CultureInfo.InvariantCulture) / 1024.0;
    }

    private static T Run<T>(string program, string[] arguments, int? threads, JsonSerializerOptions? json)
    {
        Console.Error.WriteLine($"{program} {string.Join(' ', arguments)}");
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true };
        if (threads is { } count)
            start.Environment["OMP_NUM_THREADS"] = $"{count}";
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<T>(output, json)!
            : throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}: {output}");
    }
}
