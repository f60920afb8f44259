using System.Diagnostics;
using Federated.Compat.Grpc.Tests.Probe;

namespace Federated.Compat.Grpc.Tests.Python;

/// <summary>Starts a script of this folder with Debian's python, whose grpcio is an implementation that is not ours.</summary>
internal static class PythonPeer
{
    private const string Interpreter = "/usr/bin/python3";

    /// <summary>The probe's messages, so that the script needs no generated code.</summary>
    public static string Descriptor => ProbeReflection.Descriptor.SerializedData.ToBase64();

    public static Process Start(string script, params string[] arguments)
    {
        if (!File.Exists(Interpreter))
            throw new InvalidOperationException($"{Interpreter} is missing. Install it: apt-get install python3 python3-grpcio");
        ProcessStartInfo start = new(Interpreter)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Python", script));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["no_proxy"] = "127.0.0.1";
        return Process.Start(start) ?? throw new InvalidOperationException($"{Interpreter} did not start.");
    }

    /// <summary>Why a script ended early, with the way out when it could not import grpcio.</summary>
    public static InvalidOperationException Failure(string script, string errors) => new(
        errors.Contains("ModuleNotFoundError", StringComparison.Ordinal)
            ? $"{Interpreter} lacks a module that {script} needs. Install it: apt-get install python3-grpcio\n{errors}"
            : $"{script} failed:\n{errors}");
}
