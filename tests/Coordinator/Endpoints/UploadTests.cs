using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using static Federated.Coordinator.Tests.Support.Refusals;

namespace Federated.Coordinator.Tests.Endpoints;

/// <summary>Exactly once: what is acknowledged is durable, counts once, and stays.</summary>
public sealed class UploadTests : IAsyncLifetime
{
    private readonly TestWorld _world = new();
    private TestCoordinator _coordinator = null!;
    private (TestSite Site, TaskStream Work)[] _sites = [];
    private RoundPlan _plan = null!;
    private byte[] _global = [];

    public async Task InitializeAsync()
    {
        _world.WatchJournal();
        _coordinator = await TestCoordinator.StartAsync(_world);
        _sites = await _coordinator.ArriveAsync("alpha", "beta", "gamma");
        _plan = await _sites[0].Work.NextPlanAsync();
        _global = await _sites[0].Site.FetchAsync(_plan.Global.Sha256);
    }

    public async Task DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task Upload_Good_IsDurableInOrderBeforeItIsAcknowledged()
    {
        _world.Disk.Forget();
        await SendAsync(0, Good(0));
        Assert.Equal(["create", "write", "flush", "rename", "flush-directory", "journal UpdateAccepted"], _world.Disk.Log.Distinct());
    }

    [Fact]
    public async Task Upload_SameAgain_IsAcceptedOnce()
    {
        Assert.False((await SendAsync(0, Good(0))).Duplicate);
        Assert.True((await SendAsync(0, Good(0))).Duplicate);
        Assert.Single(Accepted);
    }

    [Fact]
    public async Task Upload_SameAgainAfterTheRoundIsOver_IsStillAcknowledged()
    {
        for (int i = 0; i < 3; i++)
            await SendAsync(i, Good(i));
        await _coordinator.WaitForAsync(state => state.History.Count == 1);
        Assert.True((await SendAsync(0, Good(0))).Duplicate);
        Assert.Equal(3, Accepted.Count());
    }

    [Fact]
    public async Task Upload_DifferentUnderTheSameKey_ConflictsAndTheFirstStands()
    {
        await SendAsync(0, Good(0));
        await RefusedAsync(RejectReason.ConflictingUpdate, () => SendAsync(0, Update.With(_global, 0, 0.25f)));
        ConflictEvidence evidence = Assert.Single(Journal.OfType<ConflictEvidence>());
        Assert.Equal(ContentHash.Of(Good(0)).ToArray(), evidence.Accepted);
        Assert.Equal(ContentHash.Of(Good(0)).ToArray(), Assert.Single(Accepted).Manifest.Content.Sha256);

        for (int i = 1; i < 3; i++)
            await SendAsync(i, Good(i));
        await _coordinator.WaitForAsync(state => state.History.Count == 1);
        await RefusedAsync(RejectReason.ConflictingUpdate, () => SendAsync(0, Update.With(_global, 0, 0.25f)));
    }

    [Fact]
    public async Task Upload_AfterTheDeadline_IsLateAndNotKept()
    {
        await SendAsync(0, Good(0));
        _world.Clock.Advance(TimeSpan.FromMinutes(10));
        await _coordinator.WaitForAsync(state => state.Open?.Plan.Attempt == 2);
        await RefusedAsync(RejectReason.WrongAttempt, () => SendAsync(1, Good(1)));
        Assert.Equal([new ContentHash(_plan.Global.Sha256).ToString()], _world.Blobs.Select(Path.GetFileName));
    }

    [Fact]
    public async Task Upload_TwoSitesWithTheSameBytes_BothCount()
    {
        await SendAsync(0, Good(0));
        await SendAsync(1, Good(0));
        await SendAsync(2, Good(0));
        await _coordinator.WaitForAsync(state => state.History.Count == 1);
        Assert.Equal(3, Accepted.Count());
        // The mean of three equal updates is that update; its content must not have gone with the round's updates.
        Assert.Equal(_world.Blobs.Count, _coordinator.State().Globals.Select(global => new ContentHash(global.Sha256)).Distinct().Count());
    }

    [Fact]
    public async Task Upload_TheGlobalAdapterItself_DoesNotTakeItAwayAfterwards()
    {
        for (int i = 0; i < 3; i++)
            await SendAsync(i, _global);
        await _coordinator.WaitForAsync(state => state.History.Count == 1);
        Assert.Equal(_global, await _sites[0].Site.FetchAsync(_plan.Global.Sha256));
    }

    [Fact]
    public async Task Upload_OtherOrderOfTheSites_GivesTheSameBytes()
    {
        for (int i = 0; i < 3; i++)
            await SendAsync(i, Good(i));
        byte[] first = (await _coordinator.WaitForAsync(state => state.History.Count == 1)).Global.Sha256;

        using TestWorld world = new();
        await using TestCoordinator other = await TestCoordinator.StartAsync(world);
        var sites = await other.ArriveAsync("gamma", "beta", "alpha");
        foreach ((TestSite site, TaskStream work) in sites)
            await site.TrainAsync(await work.NextPlanAsync());
        Assert.Equal(first, (await other.WaitForAsync(state => state.History.Count == 1)).Global.Sha256);
    }

    [Fact]
    public async Task Upload_HeaderOfAnotherWriter_IsTaken()
    {
        SafetensorsHeader header = Update.Header(_global);
        string json = "{\"__metadata__\":{\"written\":\"elsewhere\"}," + string.Join(',', header.Tensors.Select(t =>
            $"\"{t.Name}\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(',', t.Shape)}],\"data_offsets\":[{t.Offset},{t.Offset + t.Length}]}}")) + "}";
        Assert.False((await SendAsync(0, Update.WithHeader(_global, json))).Duplicate);
    }

    [Fact]
    public async Task Upload_FullDisk_IsToldToWaitAndNothingAcceptedIsLost()
    {
        await SendAsync(0, Good(0));
        _world.Disk.Full = true;
        await RefusedAsync(RejectReason.StorageFull, () => SendAsync(1, Good(1)));
        Assert.Empty(_world.Temporaries);
        Assert.Equal(_global, await _sites[1].Site.FetchAsync(_plan.Global.Sha256));

        _world.Disk.Full = false;
        await SendAsync(1, Good(1));
        await SendAsync(2, Good(2));
        await _coordinator.WaitForAsync(state => state.History.Count == 1);
    }

    [Fact]
    public async Task Upload_DiskBelowTheWatermark_IsToldToWaitBeforeBytesAreRead()
    {
        _world.Disk.Free = BlobStore.Watermark;
        await RefusedAsync(RejectReason.StorageFull, () => SendAsync(0, Good(0)));
    }

    [Fact]
    public async Task Upload_NoRoomInTheJournal_IsToldToWaitAndCountsLater()
    {
        _world.Journal!.Full = true;
        await RefusedAsync(RejectReason.StorageFull, () => SendAsync(0, Good(0)));
        Assert.Empty(_coordinator.State().Open!.Accepted);
        Assert.Equal([new ContentHash(_plan.Global.Sha256).ToString()], _world.Blobs.Select(Path.GetFileName));

        _world.Journal.Full = false;
        Assert.False((await SendAsync(0, Good(0))).Duplicate);
    }

    [Fact]
    public async Task Aggregate_FullDisk_WaitsAndGivesTheSameResult()
    {
        for (int i = 0; i < 2; i++)
            await SendAsync(i, Good(i));
        _world.Disk.Free = BlobStore.Watermark + 100_000;
        // Room for one more update; the aggregate finds none.
        Task<UploadReceipt> last = SendAsync(2, Good(2), before: () => _world.Disk.Free = 0);
        await last;
        await _coordinator.WaitForAsync(state => state.Phase == RunPhase.Aggregating);
        Assert.Empty(_coordinator.State().History);

        _world.Disk.Free = null;
        await AdvanceUntilAsync(state => state.History.Count == 1);
        Assert.Equal(3, _coordinator.State().History[0].Sites.Count(site => site.Dropped.Length == 0));
    }

    [Fact]
    public async Task Upload_ThatTakesTooLong_IsEndedAndLeavesNothing()
    {
        using var call = _sites[0].Site.Client.Upload(_sites[0].Site.Headers);
        await call.RequestStream.WriteAsync(new() { Manifest = ByteString.CopyFrom(Records.Encode(Update.Manifest(_plan, "alpha", Good(0)))) });
        await call.RequestStream.WriteAsync(new() { Chunk = ByteString.CopyFrom(Good(0), 0, 100) });
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (_world.Temporaries.Count == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        // A minute, and a moment for the few bytes.
        _world.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseAsync)).StatusCode);
        Assert.Empty(_world.Temporaries);
        Assert.False((await SendAsync(0, Good(0))).Duplicate);
    }

    [Fact]
    public async Task Round_WorstCaseDoesNotFit_WaitsForSpaceAndGoesOn()
    {
        for (int i = 0; i < 2; i++)
            await SendAsync(i, Good(i));
        // Room for the last update and the aggregate, not for three updates of the next round.
        _world.Disk.Free = BlobStore.Watermark + (2 * _global.Length);
        await SendAsync(2, Good(2));
        await _coordinator.WaitForAsync(state => state.Detail.Contains("disk is full", StringComparison.Ordinal));
        Assert.Empty(_coordinator.State().History);

        _world.Disk.Free = null;
        await AdvanceUntilAsync(state => state.History.Count == 1 && state.Open?.Plan.Round == 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_FailedFlush_IsNeverAcknowledgedAndEndsTheProcess(bool inTheJournal)
    {
        if (inTheJournal)
            _world.Journal!.FlushFails = true;
        else
            _world.Disk.FlushFails = true;
        await RefusedAsync(RejectReason.Stopping, () => SendAsync(0, Good(0)));
        Assert.IsType<FlushFailedException>(await _coordinator.WaitForEndAsync());
    }

    private byte[] Good(int site) => Update.Good(_global, _sites[site].Site.Name, 1);

    private IEnumerable<IJournalRecord> Journal => _coordinator.Services.GetRequiredService<IJournal>().ReadAll();

    private IEnumerable<UpdateAccepted> Accepted => Journal.OfType<UpdateAccepted>();

    private Task<UploadReceipt> SendAsync(int site, byte[] update, Action? before = null)
    {
        if (before is not null)
            _world.Disk.BeforeRename = before;
        return _sites[site].Site.UploadAsync(Update.Manifest(_plan, _sites[site].Site.Name, update), update);
    }

    /// <summary>Moves time on, as long as the coordinator needs to come round to what it does every few seconds.</summary>
    private async Task AdvanceUntilAsync(Func<Federated.Coordinator.Rounds.RunState, bool> wanted)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (!wanted(_coordinator.State()))
        {
            patience.Token.ThrowIfCancellationRequested();
            _world.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }
}
