using Federated.Simulations.Processes;
using Federated.Simulations.Runs;

namespace Federated.EndToEnd.Tests.Support;

/// <summary>Starts <c>simulations run</c> as users do: as a process of its own.</summary>
internal static class Runner
{
    private static readonly string Simulations = typeof(ScenarioRunner).Assembly.Location;

    public static Task<FleetProcess> StartAsync(ProcessFleet fleet, string scenario, string output, params string[] more) =>
        fleet.StartAsync(Path.GetFileName(output), Simulations, ["run", scenario, "--out", output, .. more]);
}
