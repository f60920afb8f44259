using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using static Federated.Coordinator.Tests.Support.Refusals;

namespace Federated.Coordinator.Tests.Endpoints;

public sealed class JoinTests : IAsyncLifetime
{
    private readonly TestWorld _world = new();
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync(_world);

    public async Task DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task Join_KnownToken_NamesTheSiteAndItsRuns()
    {
        JoinReply reply = await _coordinator.Site("beta").JoinAsync();
        Assert.Equal(("beta", ProtocolLimits.Version), (reply.Site, reply.ProtocolVersion));
        Assert.Equal(["mail"], reply.Runs);
    }

    [Fact]
    public async Task Join_WrongToken_IsRefusedWithoutEchoingIt()
    {
        RpcException error = await RefusedAsync(RejectReason.NoIdentity, () => _coordinator.Stranger("not-a-token").JoinAsync());
        Assert.DoesNotContain("not-a-token", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("coordinator token", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public Task Join_NoToken_IsRefused() => RefusedAsync(RejectReason.NoIdentity, () => _coordinator.Stranger(null).JoinAsync());

    [Fact]
    public Task Join_TokenOfAnOperator_IsRefused() => RefusedAsync(RejectReason.Role, () => _coordinator.Stranger(_world.OperatorToken).JoinAsync());

    [Fact]
    public async Task Join_UnknownRun_IsRefused()
    {
        RpcException error = await RefusedAsync(RejectReason.NoSuchRun, () => _coordinator.Site("alpha").JoinAsync(runs: "nonsense-name"));
        Assert.DoesNotContain("nonsense-name", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public Task Join_RunThatDoesNotListTheSite_IsRefused() => RefusedAsync(RejectReason.NotInCohort, () => _coordinator.Site("delta").JoinAsync(runs: "mail"));

    [Fact]
    public async Task Join_SiteOfNoRun_MayWait() => Assert.Empty((await _coordinator.Site("delta").JoinAsync()).Runs);

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public Task Join_OtherVersion_IsRefused(uint version) => RefusedAsync(RejectReason.ProtocolVersion, () => _coordinator.Site("alpha").JoinAsync(version: version));

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public Task Join_NoExamples_IsRefused(long examples) => RefusedAsync(RejectReason.BadWeight, () => _coordinator.Site("alpha").JoinAsync(examples));

    [Fact]
    public async Task Join_Repeated_IsRecordedOnce()
    {
        TestSite site = _coordinator.Site("alpha");
        await site.JoinAsync(100);
        await site.JoinAsync(100);
        await site.JoinAsync(120);
        IEnumerable<SiteJoined> records = _coordinator.Services.GetRequiredService<IJournal>().ReadAll().OfType<SiteJoined>();
        Assert.Equal([100, 120], records.Select(record => record.TrainingExamples));
    }

    [Fact]
    public async Task Join_TooOften_IsToldToWait()
    {
        TestSite site = _coordinator.Site("alpha");
        for (int i = 0; i < 200; i++)
            await site.JoinAsync();
        await RefusedAsync(RejectReason.Busy, () => site.JoinAsync());

        _world.Clock.Advance(TimeSpan.FromMilliseconds(20));
        await site.JoinAsync();
    }
}
