using System.Diagnostics;

namespace Federated.Tests.Support;

/// <summary>The distribution's Python with its packages: the independent implementation that several formats are checked against.</summary>
public static class SystemPython
{
    /// <summary>The interpreter: <c>FEDERATED_PYTHON</c>, or the distribution's own. Another one first on PATH would lack the packages.</summary>
    public static string Interpreter { get; } =
        Environment.GetEnvironmentVariable("FEDERATED_PYTHON") is { Length: > 0 } given ? given : "/usr/bin/python3";

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">Path from the root of the checkout.</param>
    /// <param name="input">Text for its standard input.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It ended with an error; the message has what it said.</exception>
    public static async Task<string> RunAsync(string script, string input, params string[] arguments)
    {
        ProcessStartInfo start = new(Interpreter, [Path.Combine(Repository.Root, script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{Interpreter} {script} ended with {process.ExitCode}: {await error} Packages missing? eng/bootstrap.sh installs them.");
    }
}
