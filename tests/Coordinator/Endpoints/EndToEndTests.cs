using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Tests.Endpoints;

public sealed class EndToEndTests
{
    [Fact]
    public async Task Run_ThreeSitesTwoRounds_FinishesWithAnAdapterFolder()
    {
        using TestWorld world = new();
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(world);
        var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");

        for (int round = 1; round <= 2; round++)
        {
            foreach ((TestSite site, TaskStream work) in sites)
            {
                RoundPlan plan = await work.NextPlanAsync();
                Assert.Equal(round, plan.Round);
                Assert.False((await site.TrainAsync(plan)).Duplicate);
            }
        }

        foreach ((_, TaskStream work) in sites)
        {
            AgentTask last = await work.NextAsync();
            Assert.True(last.Finished.Succeeded);
        }

        string folder = Path.Combine(world.State, "adapters", "mail");
        Assert.True(File.Exists(Path.Combine(folder, "adapter_config.json")));
        byte[] adapter = await File.ReadAllBytesAsync(Path.Combine(folder, "adapter_model.safetensors"));
        Assert.Equal(coordinator.State().Global.Sha256, ContentHash.Of(adapter).ToArray());
        Assert.All(coordinator.State().History[1].Sites, site => Assert.InRange(site.BytesReceived, 500, 50_000));
    }
}
