using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Grpc.Core;
using static Federated.Coordinator.Tests.Support.Refusals;

namespace Federated.Coordinator.Tests.Endpoints;

public sealed class WorkTests : IAsyncLifetime
{
    private readonly TestWorld _world = new(TinyModel.Yaml("model", extra: "quorum: 2"));
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync(_world);

    public async Task DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task Work_Plan_IsTheDescriptionsAndTheSameForAll()
    {
        var sites = await _coordinator.ArriveAsync("alpha", "beta");
        RoundPlan first = await sites[0].Work.NextPlanAsync(), second = await sites[1].Work.NextPlanAsync();
        Assert.Equal(Records.Encode(first), Records.Encode(second));
        Assert.Equal(("mail", "fedit", 1, 1), (first.Run, first.Method, first.Round, first.Attempt));
        Assert.Equal((3, 0, 6, 1e-3), (first.Training.Steps, first.Training.StepOffset, first.Training.TotalSteps, first.Training.LearningRate));
    }

    [Fact]
    public async Task Work_SiteThatComesLater_GetsThePlanWhenItAppears()
    {
        await _coordinator.ArriveAsync("alpha", "beta");
        await _coordinator.WaitForAsync(state => state.Open is not null);
        var late = await _coordinator.ArriveAsync("gamma");
        Assert.Equal(1, (await late[0].Work.NextPlanAsync()).Round);
    }

    [Fact]
    public async Task Work_SecondStream_ReplacesTheFirstAndGetsThePlanAgain()
    {
        var sites = await _coordinator.ArriveAsync("alpha", "beta");
        await sites[0].Work.NextPlanAsync();
        using TaskStream second = await sites[0].Site.WorkAsync();
        Assert.Equal(1, (await second.NextPlanAsync()).Round);

        await RefusedAsync(RejectReason.Replaced, () => sites[0].Work.NextAsync());
        Assert.Contains("alpha", _coordinator.State().Present);
    }

    [Fact]
    public async Task Work_StreamThatEnds_TakesTheSiteAway()
    {
        var sites = await _coordinator.ArriveAsync("alpha", "beta");
        await sites[0].Work.NextPlanAsync();
        sites[0].Work.Dispose();
        await _coordinator.WaitForAsync(state => !state.Present.Contains("alpha"));
    }

    [Fact]
    public async Task Work_TaskFailed_DropsTheSiteForThisAttempt()
    {
        var sites = await _coordinator.ArriveAsync("alpha", "beta", "gamma");
        await sites[0].Work.NextPlanAsync();
        await sites[0].Work.Events.WriteAsync(new() { Failed = new() { Run = "mail", Round = 1, Attempt = 1, Reason = "no memory\r\nfaked log line" } });
        await _coordinator.WaitForAsync(state => state.Open!.Dropped.GetValueOrDefault("alpha") == "FAILED");
        for (int i = 1; i < 3; i++)
            await sites[i].Site.TrainAsync(await sites[i].Work.NextPlanAsync());
        await _coordinator.WaitForAsync(state => state.History.Count == 1);
    }

    [Fact]
    public async Task Work_SiteThatMissedTheDeadline_IsToldToStop()
    {
        var sites = await _coordinator.ArriveAsync("alpha", "beta", "gamma");
        foreach ((TestSite site, TaskStream work) in sites[..2])
            await site.TrainAsync(await work.NextPlanAsync());
        await sites[2].Work.NextPlanAsync();

        _world.Clock.Advance(TimeSpan.FromMinutes(10));
        AgentTask task = await sites[2].Work.NextAsync();
        Assert.Equal(("mail", 1u, 1u), (task.Closed.Run, task.Closed.Round, task.Closed.Attempt));
        Assert.Equal(2, (await sites[2].Work.NextPlanAsync()).Round);
    }

    [Fact]
    public async Task Work_FirstEventIsNotReady_IsRefused()
    {
        TestSite site = _coordinator.Site("alpha");
        using var call = site.Client.Work(site.Headers);
        await call.RequestStream.WriteAsync(new() { Progress = new() { Run = "mail" } });
        await RefusedAsync(RejectReason.Malformed, () => call.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task Work_EventForAForeignRun_IsRefused()
    {
        var sites = await _coordinator.ArriveAsync("alpha");
        await sites[0].Work.Events.WriteAsync(new() { Progress = new() { Run = "other", Step = 1 } });
        await RefusedAsync(RejectReason.Malformed, () => sites[0].Work.NextAsync());
    }

    [Fact]
    public async Task Work_UnknownRun_IsRefused()
    {
        using TaskStream work = await _coordinator.Site("alpha").WorkAsync("other");
        await RefusedAsync(RejectReason.NoSuchRun, () => work.NextAsync());
    }

    [Fact]
    public async Task Work_WhenTheCoordinatorStops_EndsWithUnavailable()
    {
        using TestWorld world = new();
        TestCoordinator coordinator = await TestCoordinator.StartAsync(world);
        TestSite site = new(coordinator.Address, "alpha", world.Tokens["alpha"]);
        await site.JoinAsync();
        using TaskStream work = await site.WorkAsync();
        await coordinator.WaitForAsync(state => state.Present.Contains("alpha"));
        Task<AgentTask> next = work.NextAsync();
        await coordinator.DisposeAsync();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
        site.Dispose();
    }
}
