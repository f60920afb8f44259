using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Grpc.Core;
using Grpc.Health.V1;
using static Federated.Coordinator.Tests.Support.Refusals;

namespace Federated.Coordinator.Tests.Endpoints;

public sealed class OperationsTests : IAsyncLifetime
{
    private readonly TestWorld _world = new(TinyModel.Yaml("model", method: "{name: lora-fair}")) { RealTime = true };
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync(_world);

    public async Task DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task Watch_FromThisMachine_FollowsARunToItsEnd()
    {
        using var call = new Operations.OperationsClient(_coordinator.Channel()).Watch(new());
        RunSnapshot snapshot = await UntilAsync(call, run => run.Phase == RunPhase.Waiting);
        Assert.Equal(("mail", "lora-fair", 0u, 2u), (snapshot.Run, snapshot.Method, snapshot.Round, snapshot.Rounds));
        Assert.All(snapshot.Sites, site => Assert.Equal(SitePhase.Away, site.Phase));

        var sites = await _coordinator.ArriveAsync("alpha", "beta", "gamma");
        await sites[0].Work.Events.WriteAsync(new() { Progress = new() { Run = "mail", Round = 1, Step = 2, Steps = 3, Loss = 0.5 } });
        snapshot = await UntilAsync(call, run => run.Round == 1 && run.Sites[0].Step == 2);
        Assert.Equal((RunPhase.Training, SitePhase.Training, 3u, 0.5), (snapshot.Phase, snapshot.Sites[0].Phase, snapshot.Sites[0].Steps, snapshot.Sites[0].Loss));

        foreach ((TestSite site, TaskStream work) in sites)
            await site.TrainAsync(await work.NextPlanAsync());
        snapshot = await UntilAsync(call, run => run.History.Count == 1);
        RoundSummary round = snapshot.History[0];
        Assert.Equal((1u, 0.5, 0.6, 0.75), (round.Round, round.TrainingLoss, round.HoldoutLoss, round.HoldoutAccuracy));
        Assert.Equal(snapshot.AdapterSha256, round.AdapterSha256);
        Assert.NotEmpty(round.Diagnostics);
        Assert.Equal(["alpha", "beta", "gamma"], round.Sites.Select(site => site.Site));
        Assert.All(round.Sites, site => Assert.True(site.BytesReceived > 500 && site.BytesSent > 500));

        foreach ((TestSite site, TaskStream work) in sites)
            await site.TrainAsync(await work.NextPlanAsync());
        snapshot = await UntilAsync(call, run => run.Phase == RunPhase.Finished);
        Assert.Equal(2, snapshot.History.Count);
    }

    [Fact]
    public Task Watch_TokenOfASite_IsRefused() => RefusedAsync(RejectReason.Role, () => FirstAsync(_world.Tokens["alpha"]));

    [Fact]
    public Task Watch_WrongToken_IsRefused() => RefusedAsync(RejectReason.NoIdentity, () => FirstAsync("wrong"));

    [Fact]
    public async Task Watch_TokenOfAnOperator_IsAllowed() => Assert.Single((await FirstAsync(_world.OperatorToken)).Runs);

    [Fact]
    public async Task Watch_NamedRuns_ShowsThoseOnly() => Assert.Empty((await FirstAsync(_world.OperatorToken, "other")).Runs);

    [Fact]
    public async Task Health_ReadyCoordinator_Serves()
    {
        Health.HealthClient health = new(_coordinator.Channel());
        foreach (string service in (string[])["", "federated.v1.Federation", "federated.v1.Operations"])
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await health.CheckAsync(new() { Service = service })).Status);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(async () => await health.CheckAsync(new() { Service = "x" }))).StatusCode);
    }

    [Fact]
    public async Task Health_Watch_TellsWhenTheStopBegins()
    {
        using TestWorld world = new();
        TestCoordinator coordinator = await TestCoordinator.StartAsync(world);
        using TestSite stranger = new(coordinator.Address, "", null);
        using var call = new Health.HealthClient(stranger.Channel).Watch(new());
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, call.ResponseStream.Current.Status);
        ValueTask stop = coordinator.DisposeAsync();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, call.ResponseStream.Current.Status);
        await stop;
    }

    private async Task<CoordinatorSnapshot> FirstAsync(string token, params string[] runs)
    {
        TestSite caller = _coordinator.Stranger(token);
        using var call = new Operations.OperationsClient(caller.Channel).Watch(new() { Runs = { runs } }, caller.Headers);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        return call.ResponseStream.Current;
    }

    private static async Task<RunSnapshot> UntilAsync(AsyncServerStreamingCall<CoordinatorSnapshot> call, Func<RunSnapshot, bool> wanted)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (await call.ResponseStream.MoveNext(patience.Token))
        {
            if (wanted(call.ResponseStream.Current.Runs[0]))
                return call.ResponseStream.Current.Runs[0];
        }

        throw new EndOfStreamException("the watch ended");
    }
}
