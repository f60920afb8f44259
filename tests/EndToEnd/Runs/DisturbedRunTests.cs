using Federated.EndToEnd.Tests.Support;
using Federated.Simulations.Processes;

namespace Federated.EndToEnd.Tests.Runs;

/// <summary>Whatever order updates come in and whoever is killed, the same adapter comes out, bit by bit.</summary>
[Collection(TinyWorldCollection.Name)]
public sealed class DisturbedRunTests(UndisturbedRun undisturbed) : IClassFixture<UndisturbedRun>
{
    private const string Accepted = "accepted";
    private const int KilledExitCode = 128 + SystemProcesses.SigKill;

    [Fact]
    public async Task Run_UpdatesInReverseOrder_GivesTheSameAdapter()
    {
        await using Federation federation = await Federation.CreateAsync(undisturbed.World, "reversed");
        FleetProcess coordinator = await federation.StartCoordinatorAsync();
        List<FleetProcess> agents = [];
        foreach (string site in TinyWorld.MailboxNames.Reverse())
        {
            // The next agent comes only when this one's update of round 1 is in.
            if (agents.Count > 0)
                await agents[^1].LineAsync(Accepted, CancellationToken.None);
            agents.Add(await federation.StartAgentAsync(site));
        }

        Assert.Equal(undisturbed.Adapter, await federation.FinishAsync(coordinator, [.. agents]));
    }

    [Theory]
    [InlineData("record-flushed:2")]
    [InlineData("aggregate-half:1")]
    [InlineData("committed:1")]
    public async Task Coordinator_KilledAtThePoint_RestartedGivesTheSameAdapter(string failPoint)
    {
        await using Federation federation = await Federation.CreateAsync(undisturbed.World, "killed-" + failPoint.Replace(':', '-'));
        FleetProcess doomed = await federation.StartCoordinatorAsync(failPoint);
        FleetProcess[] agents = await federation.StartAgentsAsync();
        Assert.Equal(KilledExitCode, await doomed.Exited);

        FleetProcess coordinator = await federation.StartCoordinatorAsync();

        Assert.Equal(undisturbed.Adapter, await federation.FinishAsync(coordinator, agents));
        Assert.All(agents, agent => Assert.True(agent.Exited.IsCompletedSuccessfully));
    }

    [Fact]
    public async Task Coordinator_KilledWhileARoundWaits_RestartedGivesTheSameAdapter()
    {
        await using Federation federation = await Federation.CreateAsync(undisturbed.World, "killed-waiting");
        FleetProcess doomed = await federation.StartCoordinatorAsync();
        FleetProcess first = await federation.StartAgentAsync(TinyWorld.MailboxNames[0]);
        await first.LineAsync(Accepted, CancellationToken.None);
        doomed.Kill();
        Assert.Equal(KilledExitCode, await doomed.Exited);

        FleetProcess coordinator = await federation.StartCoordinatorAsync();
        FleetProcess[] others = await Task.WhenAll(TinyWorld.MailboxNames.Skip(1).Select(federation.StartAgentAsync));

        Assert.Equal(undisturbed.Adapter, await federation.FinishAsync(coordinator, [first, .. others]));
    }

    [Fact]
    public async Task Agent_KilledInARound_RestartedGivesTheSameAdapter()
    {
        await using Federation federation = await Federation.CreateAsync(undisturbed.World, "killed-agent");
        FleetProcess coordinator = await federation.StartCoordinatorAsync();
        FleetProcess doomed = await federation.StartAgentAsync(TinyWorld.MailboxNames[0]);
        await doomed.LineAsync("plan received", CancellationToken.None);
        doomed.Kill();
        Assert.Equal(KilledExitCode, await doomed.Exited);

        Assert.Equal(undisturbed.Adapter, await federation.FinishAsync(coordinator, await federation.StartAgentsAsync()));
    }
}
