using Federated.Client.Agent;
using Federated.Shared.Protocol;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Client.Tests.Agent;

public sealed class FetchTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly DelayClock _clock = new();
    private readonly CapturedLog _log = new();
    private readonly byte[] _content = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];
    private FakeCoordinator _coordinator = null!;
    private GrpcChannel _channel = null!;
    private BlobCache _cache = null!;

    public async Task InitializeAsync()
    {
        _coordinator = await FakeCoordinator.StartAsync();
        _channel = GrpcChannel.ForAddress(_coordinator.Address);
        _cache = new(_folder.Path, _clock);
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        await _coordinator.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Get_NotHere_FetchesWholeBytes()
    {
        BlobReference blob = _coordinator.Offer(_content);
        string path = await GetAsync(blob);
        Assert.Equal(_content, await File.ReadAllBytesAsync(path));
        Assert.Equal(path, _cache.Find(blob));
        Assert.Equal(0, _coordinator.Fetches.Single().Offset);
    }

    [Fact]
    public async Task Get_Here_AsksNobody()
    {
        BlobReference blob = _coordinator.Offer(_content);
        await GetAsync(blob);
        await GetAsync(blob);
        Assert.Single(_coordinator.Fetches);
    }

    [Fact]
    public async Task Get_ConnectionBreaksMidway_GoesOnWhereItStopped()
    {
        BlobReference blob = _coordinator.Offer(_content);
        _coordinator.Fetching = (number, rest) => number == 1 ? BreakAfter(rest, 300) : rest.Chunk(64);
        Assert.Equal(_content, await File.ReadAllBytesAsync(await GetAsync(blob)));
        Assert.Equal([0, 300], _coordinator.Fetches.Select(fetch => fetch.Offset));
    }

    [Fact]
    public async Task Get_WholePartLeftByACrash_AsksNobody()
    {
        BlobReference blob = _coordinator.Offer(_content);
        await File.WriteAllBytesAsync(PartOf(blob), _content);
        Assert.Equal(_content, await File.ReadAllBytesAsync(await GetAsync(blob)));
        Assert.Empty(_coordinator.Fetches);
    }

    [Fact]
    public async Task Get_PartDamagedOnDisk_StartsAfresh()
    {
        BlobReference blob = _coordinator.Offer(_content);
        await File.WriteAllBytesAsync(PartOf(blob), new byte[300]);
        Assert.Equal(_content, await File.ReadAllBytesAsync(await GetAsync(blob)));
        Assert.Equal([300, 0], _coordinator.Fetches.Select(fetch => fetch.Offset));
    }

    [Fact]
    public async Task Get_DamagedEachTime_GivesUpAfterThreeRetriesAndLeavesNoPart()
    {
        BlobReference blob = _coordinator.Offer(_content);
        _coordinator.Fetching = (_, rest) => [new byte[rest.Length]];
        InvalidDataException e = await Assert.ThrowsAsync<InvalidDataException>(() => GetAsync(blob));
        Assert.Contains("1000 bytes were announced", e.Message, StringComparison.Ordinal);
        Assert.Equal([0, 0, 0, 0], _coordinator.Fetches.Select(fetch => fetch.Offset));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1)]
    public async Task Get_LongerThanAnnounced_IsRefusedWithoutBeingStored(int surplus)
    {
        BlobReference blob = _coordinator.Offer(_content);
        _coordinator.Fetching = (_, rest) => [rest, new byte[surplus]];
        await Assert.ThrowsAsync<InvalidDataException>(() => GetAsync(blob));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Get_UnknownBlob_IsNotAskedForAgain()
    {
        BlobReference blob = new() { Sha256 = new byte[ContentHash.Size], Length = 5 };
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => GetAsync(blob));
        Assert.Equal(RejectReason.NoSuchBlob, RetryPolicy.ReasonOf(e));
        Assert.Single(_coordinator.Fetches);
    }

    [Fact]
    public async Task Get_ServerStalls_IsGivenUpByTheClockAndTriedAgain()
    {
        BlobReference blob = _coordinator.Offer(_content);
        using ManualResetEventSlim stalled = new(), end = new();
        _coordinator.Fetching = (number, rest) => number == 1 ? Stall(rest, stalled, end) : rest.Chunk(100);
        Task<string> getting = GetAsync(blob);
        await Task.Run(() => stalled.Wait(Patience.Limit));
        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(_content, await File.ReadAllBytesAsync(await getting));
        Assert.Contains("nothing moved for 60 s", _log.Text, StringComparison.Ordinal);
        end.Set();
    }

    [Fact]
    public async Task Get_Cancelled_SaysSo()
    {
        BlobReference blob = _coordinator.Offer(_content);
        using ManualResetEventSlim stalled = new(), end = new();
        using CancellationTokenSource stop = new();
        _coordinator.Fetching = (_, rest) => Stall(rest, stalled, end);
        Task<string> getting = RetryPolicy.ForCalls(_clock, _log).ExecuteAsync(
            async token => await _cache.GetAsync(blob, new(_channel), token), stop.Token).AsTask();
        await Task.Run(() => stalled.Wait(Patience.Limit));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => getting.WaitAsync(Patience.Limit));
        end.Set();
    }

    [Fact]
    public async Task Trim_OverBudget_DeletesWhatWasNotUsedForLongest()
    {
        BlobReference[] blobs = [.. Enumerable.Range(1, 4).Select(i => _coordinator.Offer([.. Enumerable.Repeat((byte)i, 100)]))];
        foreach (BlobReference blob in blobs.Append(blobs[0]))
        {
            await GetAsync(blob);
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        _cache.Trim([blobs[1]], budget: 200);
        Assert.Equal([true, true, false, false], blobs.Select(blob => _cache.Find(blob) is not null));
        _cache.Trim([blobs[1]], budget: 0);
        Assert.Equal([false, true, false, false], blobs.Select(blob => _cache.Find(blob) is not null));
    }

    private static IEnumerable<byte[]> BreakAfter(byte[] rest, int count)
    {
        yield return rest[..count];
        throw new RpcException(new Status(StatusCode.Unavailable, "broken by the test"));
    }

    private static IEnumerable<byte[]> Stall(byte[] rest, ManualResetEventSlim stalled, ManualResetEventSlim end)
    {
        yield return rest[..10];
        stalled.Set();
        end.Wait(Patience.Limit);
    }

    private string PartOf(BlobReference blob) => Path.Combine(_folder.Path, new ContentHash(blob.Sha256) + ".part");

    private async Task<string> GetAsync(BlobReference blob)
    {
        Task<string> getting = RetryPolicy.ForCalls(_clock, _log).ExecuteAsync(async token => await _cache.GetAsync(blob, new(_channel), token)).AsTask();
        await _clock.PassDelaysUntilAsync(Task.WhenAny(getting));
        return await getting;
    }
}
