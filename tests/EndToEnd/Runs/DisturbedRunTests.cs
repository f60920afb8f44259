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
    public async Task Run_AgentsInReverseOrder_GivesTheSameAdapter()
    {
        await using Federation federation = await Federation.CreateAsync(undisturbed.World, "reversed");
        FleetProcess coordinator = await federation.StartCoordinatorAsync();
        List<FleetProcess> agents = [];
        foreach (string site in TinyWorld.MailboxNames.Reverse())
        {
            agents.Add(await federation.StartAgentAsync(site));
            await agents[^1].LineAsync("joined as", CancellationToken.None);
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
        FleetProcess[] others = await StartAndLoseTheFirstAgentAsync(federation);
        doomed.Kill();
        Assert.Equal(KilledExitCode, await doomed.Exited);

        FleetProcess coordinator = await federation.StartCoordinatorAsync();
        FleetProcess first = await federation.StartAgentAsync(TinyWorld.MailboxNames[0]);

        Assert.Equal(undisturbed.Adapter, await federation.FinishAsync(coordinator, [first, .. others]));
    }

    [Fact]
    public async Task Agent_KilledInARound_RestartedAsTheLastGivesTheSameAdapter()
    {
        await using Federation federation = await Federation.CreateAsync(undisturbed.World, "killed-agent");
        FleetProcess coordinator = await federation.StartCoordinatorAsync();
        FleetProcess[] others = await StartAndLoseTheFirstAgentAsync(federation);

        FleetProcess first = await federation.StartAgentAsync(TinyWorld.MailboxNames[0]);

        Assert.Equal(undisturbed.Adapter, await federation.FinishAsync(coordinator, [first, .. others]));
    }

    /// <summary>All agents start; the first one is killed as soon as it has its task, the others' updates are in.</summary>
    private static async Task<FleetProcess[]> StartAndLoseTheFirstAgentAsync(Federation federation)
    {
        FleetProcess[] agents = await federation.StartAgentsAsync();
        await agents[0].LineAsync("plan received", CancellationToken.None);
        agents[0].Kill();
        Assert.Equal(KilledExitCode, await agents[0].Exited);
        await Task.WhenAll(agents.Skip(1).Select(agent => agent.LineAsync(Accepted, CancellationToken.None)));
        return agents[1..];
    }
}
