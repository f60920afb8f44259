using System.Runtime.InteropServices;
using Federated.Simulations.Processes;
using Federated.Simulations.Runs;

namespace Federated.EndToEnd.Tests.Support;

/// <summary>Starts <c>simulations run</c> as users do: as a process of its own.</summary>
internal static partial class Runner
{
    private const int SigInt = 2;
    private const nint DefaultHandling = 0;

    private static readonly string Simulations = typeof(ScenarioRunner).Assembly.Location;

    public static Task<FleetProcess> StartAsync(ProcessFleet fleet, string scenario, string output, params string[] more)
    {
        // A test run that a shell put into the background ignores SIGINT, and its children would inherit that.
        _ = HandleSignal(SigInt, DefaultHandling);
        return fleet.StartAsync(Path.GetFileName(output), Simulations, ["run", scenario, "--out", output, .. more]);
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint HandleSignal(int signal, nint handler);
}
