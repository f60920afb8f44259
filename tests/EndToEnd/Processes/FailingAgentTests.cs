using Federated.EndToEnd.Tests.Support;
using Federated.Simulations.Processes;
using Federated.Simulations.Runs;
using Federated.Simulations.Scenarios;

namespace Federated.EndToEnd.Tests.Processes;

[Collection(TinyWorldCollection.Name)]
public sealed class FailingAgentTests(TinyWorld world)
{
    [Fact]
    public async Task Run_AnAgentWithABrokenLine_FailsAndNamesItsLog()
    {
        Scenario scenario = world.ReadScenario("broken-line");
        SimulationFolder folder = SimulationFolder.Create(world["broken-line-out"]);
        Mailboxes mailboxes = Mailboxes.Write(scenario, folder.Folder("data"));
        await File.AppendAllTextAsync(mailboxes.Files["middle"], "{ \"text\": \"a private word\", \"label\": \n");
        int line = (await File.ReadAllLinesAsync(mailboxes.Files["middle"])).Length;
        await using ProcessFleet fleet = new(folder.Folder("logs"));

        ProcessFailedException failure = await Assert.ThrowsAsync<ProcessFailedException>(
            () => new FederatedStage(scenario, folder, fleet, _ => { }).RunAsync(mailboxes.Files, CancellationToken.None));

        Assert.Equal(65, failure.ExitCode);
        Assert.Contains(Path.Combine(folder.Root, "logs", "agent-middle.log"), failure.Message, StringComparison.Ordinal);
        Assert.Contains($"{line}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("a private word", failure.Message, StringComparison.Ordinal);
    }
}
