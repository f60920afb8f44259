using System.Text.Json;
using Federated.EndToEnd.Tests.Support;
using Federated.Simulations.Processes;

namespace Federated.EndToEnd.Tests.Runs;

/// <summary>A whole simulation, run once for all tests that look at what it left.</summary>
public sealed class FinishedRun(TinyWorld world) : IAsyncLifetime
{
    public TinyWorld World { get; } = world;

    public string Output => World["finished"];

    public int ExitCode { get; private set; }

    public JsonElement Summary { get; private set; }

    public async Task InitializeAsync()
    {
        await using ProcessFleet fleet = new(World["runner-logs"]);
        FleetProcess runner = await Runner.StartAsync(fleet, World.WriteScenario("whole"), Output);
        ExitCode = await runner.Exited;
        Assert.True(ExitCode == 0, runner.Tail());
        Summary = ReadSummary(Output);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public static JsonElement ReadSummary(string output)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "summary.json")));
        return document.RootElement.Clone();
    }
}
