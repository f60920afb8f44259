using Federated.Coordinator.Rounds;
using Federated.Coordinator.RunFiles;
using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Peft;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Tests.Rounds;

/// <summary>A coordinator that comes back: same round, everything it had acknowledged, same result.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly TestWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task Start_InTheMiddleOfARound_GoesOnThereAndGivesTheSameBytes()
    {
        byte[] undisturbed = await FinishAsync(restart: false);
        using RestartTests other = new();
        Assert.Equal(undisturbed, await other.FinishAsync(restart: true));
    }

    [Fact]
    public async Task Start_OpenRound_KeepsWhatWasLeftButAtLeastAMinute()
    {
        await OpenAsync(minutes: 4);
        await using (TestCoordinator coordinator = await TestCoordinator.StartAsync(_world))
        {
            // The last record is the opening: ten minutes were left then.
            Assert.Equal(TimeSpan.FromMinutes(10), coordinator.State().Open!.ClosesAt);
            var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
            _world.Clock.Advance(TimeSpan.FromSeconds(595));
            await sites[0].Site.TrainAsync(await sites[0].Work.NextPlanAsync());
        }

        await using TestCoordinator again = await TestCoordinator.StartAsync(_world);
        Assert.Equal(TimeSpan.FromSeconds(60), again.State().Open!.ClosesAt);
        _world.Clock.Advance(TimeSpan.FromSeconds(60));
        RunState state = await again.WaitForAsync(state => state.Open is null);
        Assert.Equal((RunPhase.Waiting, 1), (state.Phase, state.Attempt));
    }

    [Fact]
    public async Task Start_SiteThatWasAccepted_IsNotAskedAgainAndItsRetryIsADuplicate()
    {
        RoundPlan plan;
        await using (TestCoordinator coordinator = await TestCoordinator.StartAsync(_world))
        {
            var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
            plan = await sites[0].Work.NextPlanAsync();
            await sites[0].Site.TrainAsync(plan);
        }

        await using TestCoordinator again = await TestCoordinator.StartAsync(_world);
        var back = await again.ArriveAsync("alpha", "beta", "gamma");
        Assert.True((await back[0].Site.TrainAsync(plan)).Duplicate);
        foreach ((TestSite site, TaskStream work) in back[1..])
            await site.TrainAsync(await work.NextPlanAsync());
        Assert.Equal(2, (await back[0].Work.NextPlanAsync()).Round);
    }

    [Fact]
    public async Task Start_RetryWithoutJoiningAgain_IsJudgedByTheOldRegistration()
    {
        RoundPlan plan;
        await using (TestCoordinator coordinator = await TestCoordinator.StartAsync(_world))
            plan = await (await coordinator.ArriveAsync("alpha", "beta", "gamma"))[0].Work.NextPlanAsync();

        await using TestCoordinator again = await TestCoordinator.StartAsync(_world);
        Assert.False((await again.Site("alpha").TrainAsync(plan)).Duplicate);
    }

    [Fact]
    public async Task Start_FinishedRun_SaysSoAndRepeatsTheExport()
    {
        await FinishAsync(restart: false);
        string folder = Path.Combine(_world.State, "adapters", "mail");
        byte[] weights = await File.ReadAllBytesAsync(Path.Combine(folder, AdapterFolder.WeightsFile));
        Directory.Delete(folder, recursive: true);

        await using TestCoordinator again = await TestCoordinator.StartAsync(_world);
        var sites = await again.ArriveAsync("alpha");
        Assert.True((await sites[0].Work.NextAsync()).Finished.Succeeded);
        Assert.Equal(weights, await File.ReadAllBytesAsync(Path.Combine(folder, AdapterFolder.WeightsFile)));
        Assert.Equal(2, ((LoraConfig)AdapterFolder.Read(folder).Config).Rank);
    }

    [Fact]
    public async Task Start_LeftoverTemporary_IsDeleted()
    {
        await OpenAsync();
        string leftover = Path.Combine(_world.State, "blobs", "tmp", "1");
        await File.WriteAllTextAsync(leftover, "half an update");
        await using TestCoordinator again = await TestCoordinator.StartAsync(_world);
        Assert.False(File.Exists(leftover));
    }

    [Theory]
    [InlineData("seed: 7", "seed: 8", "seed")]
    [InlineData("rounds: 2", "rounds: 3", "rounds")]
    [InlineData("learning_rate: 1e-3", "learning_rate: 2e-3", "training")]
    [InlineData("{name: fedit}", "{name: lora-fair}", "method.name")]
    public async Task Start_RunDescribedDifferently_IsRefused(string before, string after, string key)
    {
        await OpenAsync();
        _world.Write("run0.yaml", TinyModel.Yaml("model").Replace(before, after, StringComparison.Ordinal));
        RunFileException error = await Assert.ThrowsAsync<RunFileException>(() => TestCoordinator.StartAsync(_world));
        Assert.StartsWith(key + ":", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_ModelChanged_IsRefused()
    {
        await OpenAsync();
        await File.AppendAllTextAsync(Path.Combine(_world.Model, "config.json"), " ");
        Assert.Contains("model:", (await Assert.ThrowsAsync<RunFileException>(() => TestCoordinator.StartAsync(_world))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_DamagedUpdateOfTheOpenRound_CostsTheAttemptOnly()
    {
        await OpenAsync(accept: true);
        string update = Assert.Single(_world.Blobs, path => new FileInfo(path).Length > 0 && !path.Contains(GlobalHash, StringComparison.Ordinal));
        byte[] bytes = await File.ReadAllBytesAsync(update);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(update, bytes);

        await using TestCoordinator again = await TestCoordinator.StartAsync(_world);
        Assert.Null(again.State().Open);
        var sites = await again.ArriveAsync("alpha", "beta", "gamma");
        Assert.Equal(2, (await sites[0].Work.NextPlanAsync()).Attempt);
    }

    [Fact]
    public async Task Start_MissingGlobalAdapter_RefusesAsCorrupt()
    {
        await OpenAsync();
        File.Delete(Assert.Single(_world.Blobs));
        Assert.Contains("missing or damaged", (await Assert.ThrowsAsync<StoreCorruptException>(() => TestCoordinator.StartAsync(_world))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_SecondCoordinatorOnTheSameState_IsRefusedAndTheFirstGoesOn()
    {
        await using TestCoordinator first = await TestCoordinator.StartAsync(_world);
        Assert.Contains("another coordinator", (await Assert.ThrowsAsync<StateLockedException>(() => TestCoordinator.StartAsync(_world))).Message, StringComparison.Ordinal);
        Assert.Equal("alpha", (await first.Site("alpha").JoinAsync()).Site);
    }

    [Fact]
    public async Task Run_AfterAnother_BeginsWhenThatHasEnded()
    {
        _world.Runs = [_world.Write("first.yaml", TinyModel.Yaml("model", run: "first", rounds: 1)), _world.Write("second.yaml", TinyModel.Yaml("model", run: "second", rounds: 1, extra: "after: first"))];
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(_world);
        var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
        Assert.Equal(RunPhase.Waiting, coordinator.State("second").Phase);
        foreach (string run in (string[])["first", "second"])
        {
            foreach ((TestSite site, TaskStream work) in sites)
            {
                RoundPlan plan = await work.NextPlanAsync();
                Assert.Equal(run, plan.Run);
                await site.TrainAsync(plan);
            }
        }

        await coordinator.WaitForAsync(state => state.Phase == RunPhase.Finished, "second");
    }

    [Fact]
    public async Task ExitWhenFinished_AllSitesToldAndGone_Stops()
    {
        _world.ExitWhenFinished = true;
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(_world);
        var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
        for (int round = 0; round < 2; round++)
        {
            foreach ((TestSite site, TaskStream work) in sites)
                await site.TrainAsync(await work.NextPlanAsync());
        }

        foreach ((_, TaskStream work) in sites)
        {
            Assert.True((await work.NextAsync()).Finished.Succeeded);
            work.Dispose();
        }

        Assert.Null(await coordinator.WaitForEndAsync());
    }

    private string GlobalHash { get; set; } = "";

    private async Task OpenAsync(int minutes = 0, bool accept = false)
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(_world);
        var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
        RoundPlan plan = await sites[0].Work.NextPlanAsync();
        GlobalHash = new ContentHash(plan.Global.Sha256).ToString();
        _world.Clock.Advance(TimeSpan.FromMinutes(minutes));
        if (accept)
            await sites[0].Site.TrainAsync(plan);
    }

    private async Task<byte[]> FinishAsync(bool restart)
    {
        TestCoordinator coordinator = await TestCoordinator.StartAsync(_world);
        var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
        for (int round = 1; round <= 2; round++)
        {
            await sites[0].Site.TrainAsync(await sites[0].Work.NextPlanAsync());
            if (restart)
            {
                await coordinator.DisposeAsync();
                coordinator = await TestCoordinator.StartAsync(_world);
                sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
            }

            foreach ((TestSite site, TaskStream work) in sites[1..])
                await site.TrainAsync(await work.NextPlanAsync());
        }

        byte[] adapter = (await coordinator.WaitForAsync(state => state.Phase == RunPhase.Finished)).Global.Sha256;
        await coordinator.DisposeAsync();
        return adapter;
    }
}
