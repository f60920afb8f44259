using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Federated.Tests.Support;
using Google.Protobuf;

namespace Federated.Coordinator.Tests.Processes;

/// <summary>The coordinator killed with SIGKILL at named places: every time the run ends with the bytes of an undisturbed one, each update counted once.</summary>
public sealed class KillTests : IAsyncLifetime
{
    private readonly TestWorld _world = new();
    private byte[] _undisturbed = [];

    public async Task InitializeAsync()
    {
        using TestWorld world = new();
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(world);
        var sites = await coordinator.ArriveAsync("alpha", "beta", "gamma");
        for (int round = 0; round < 2; round++)
        {
            foreach ((TestSite site, TaskStream work) in sites)
                await site.TrainAsync(await work.NextPlanAsync());
        }

        await coordinator.WaitForAsync(state => state.Ended);
        _undisturbed = await File.ReadAllBytesAsync(Path.Combine(world.State, "adapters", "mail", "adapter_model.safetensors"));
    }

    public Task DisposeAsync()
    {
        _world.Dispose();
        return Task.CompletedTask;
    }

    [Theory]
    [InlineData(FailPoints.BlobFlushed, 2)]
    [InlineData(FailPoints.RecordFlushed, 2)]
    [InlineData(FailPoints.OkSent, 2)]
    [InlineData(FailPoints.AggregateHalf, 1)]
    [InlineData(FailPoints.AggregateWritten, 1)]
    [InlineData(FailPoints.Committed, 1)]
    [InlineData(FailPoints.Committed, 2)]
    public async Task Killed_AtANamedPlace_EndsWithTheSameBytes(string place, int count)
    {
        using Fleet fleet = new(_world, $"{place}:{count}");
        Assert.Equal(_undisturbed, await fleet.RunToEndAsync());
        Assert.Equal(1, fleet.Deaths);
        AssertCountedOnce();
    }

    [Fact]
    public async Task Killed_InTheMiddleOfAnUpload_EndsWithTheSameBytesAndLeavesNoTemporary()
    {
        int killed = 0;
        using Fleet fleet = new(_world, null);
        fleet.BeforeUpload = async (plan, name, site, update) =>
        {
            if (name != "beta" || plan.Round != 2 || Interlocked.Exchange(ref killed, 1) == 1)
                return;

            using var call = site.Client.Upload(site.Headers);
            await call.RequestStream.WriteAsync(new() { Manifest = ByteString.CopyFrom(Records.Encode(Update.Manifest(plan, name, update))) });
            await call.RequestStream.WriteAsync(new() { Chunk = ByteString.CopyFrom(update, 0, update.Length / 2) });
            fleet.Process.Kill();
            await call.ResponseAsync;
        };
        Assert.Equal(_undisturbed, await fleet.RunToEndAsync());
        Assert.Equal(1, fleet.Deaths);
        Assert.Empty(_world.Temporaries);
        AssertCountedOnce();
    }

    [Fact]
    public async Task Killed_BetweenRounds_EndsWithTheSameBytes()
    {
        int killed = 0;
        using Fleet fleet = new(_world, null);
        fleet.BeforeUpload = (plan, _, _, _) =>
        {
            if (plan.Round == 2 && Interlocked.Exchange(ref killed, 1) == 0)
                fleet.Process.Kill();
            return Task.CompletedTask;
        };
        Assert.Equal(_undisturbed, await fleet.RunToEndAsync());
        Assert.Equal(1, fleet.Deaths);
        AssertCountedOnce();
    }

    private void AssertCountedOnce()
    {
        using SqliteJournal journal = SqliteJournal.Open(Path.Combine(_world.State, "journal.db"), new TestClock());
        Assert.Equal(6, journal.ReadAll().OfType<UpdateAccepted>().Count());
        Assert.IsType<CleanStop>(journal.ReadAll().Last());
    }
}
