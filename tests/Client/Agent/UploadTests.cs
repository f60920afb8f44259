using Federated.Client.Agent;
using Federated.Shared.Protocol;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Client.Tests.Agent;

public sealed class UploadTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly DelayClock _clock = new();
    private readonly CapturedLog _log = new();
    private readonly byte[] _content = new byte[(2 * ProtocolLimits.ChunkBytes) + 5];
    private FakeCoordinator _coordinator = null!;
    private GrpcChannel _channel = null!;
    private int _begun;

    public async Task InitializeAsync()
    {
        new Random(1).NextBytes(_content);
        await File.WriteAllBytesAsync(Update, _content);
        _coordinator = await FakeCoordinator.StartAsync();
        _channel = GrpcChannel.ForAddress(_coordinator.Address);
        _coordinator.Beginning = number => _begun = number;
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        await _coordinator.DisposeAsync();
        _folder.Dispose();
    }

    private string Update => Path.Combine(_folder.Path, "update");

    [Fact]
    public async Task Send_Update_ArrivesWholeInChunksInOrder()
    {
        Assert.True(await SendAsync());
        (UpdateManifest manifest, byte[] bytes, int[] chunks) = await _coordinator.Uploads.Reader.NextAsync();
        Assert.Equal(_content, bytes);
        Assert.Equal([ProtocolLimits.ChunkBytes, ProtocolLimits.ChunkBytes, 5], chunks);
        Assert.Equal(Records.Encode(Manifest()), Records.Encode(manifest));
    }

    [Fact]
    public async Task Send_Duplicate_IsDone()
    {
        _coordinator.Accepting = _ => true;
        Assert.False(await SendAsync());
    }

    [Theory]
    [InlineData(RejectReason.ConflictingUpdate, StatusCode.AlreadyExists)]
    [InlineData(RejectReason.NotFinite, StatusCode.InvalidArgument)]
    [InlineData(RejectReason.RoundClosed, StatusCode.FailedPrecondition)]
    [InlineData(RejectReason.WrongAttempt, StatusCode.Aborted)]
    public async Task Send_RefusedMidway_GivesTheTrueStatusAndIsNotSentAgain(RejectReason reason, StatusCode status)
    {
        _coordinator.Beginning = number =>
        {
            _begun = number;
            throw FakeCoordinator.Refusal(reason);
        };
        RpcException e = await Assert.ThrowsAsync<RpcException>(SendAsync);
        Assert.Equal((status, reason), (e.StatusCode, RetryPolicy.ReasonOf(e)!.Value));
        Assert.Equal(1, _begun);
    }

    [Fact]
    public async Task Send_DamagedEachTime_IsSentFourTimesInAll()
    {
        _coordinator.Accepting = _ => throw FakeCoordinator.Refusal(RejectReason.DigestMismatch);
        RpcException e = await Assert.ThrowsAsync<RpcException>(SendAsync);
        Assert.Equal(StatusCode.DataLoss, e.StatusCode);
        Assert.Equal(4, _begun);
    }

    [Theory]
    [InlineData(RejectReason.Busy)]
    [InlineData(RejectReason.StorageFull)]
    [InlineData(RejectReason.Stopping)]
    public async Task Send_CoordinatorInTrouble_IsSentUntilItIsWell(RejectReason reason)
    {
        _coordinator.Accepting = number => number < 7 ? throw FakeCoordinator.Refusal(reason) : false;
        Assert.True(await SendAsync());
        Assert.Equal(7, _begun);
    }

    [Fact]
    public async Task Send_AskedToWait_WaitsAtLeastThatLong()
    {
        Metadata trailers = new() { { ProtocolLimits.ReasonTrailer, RejectReason.Busy.Word() }, { ProtocolLimits.RetryAfterTrailer, "5000" } };
        _coordinator.Accepting = number => number > 1 ? false : throw new RpcException(new Status(StatusCode.ResourceExhausted, "busy"), trailers);
        await SendAsync();
        Assert.InRange(_clock.Delays.Single(), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6));
    }

    [Fact]
    public async Task Send_CoordinatorsOwnFault_IsNotSentAgain()
    {
        _coordinator.Accepting = _ => throw new InvalidOperationException();
        RpcException e = await Assert.ThrowsAsync<RpcException>(SendAsync);
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.Equal(1, _begun);
    }

    [Fact]
    public async Task Send_FileGone_SaysSoInsteadOfWaiting()
    {
        File.Delete(Update);
        await Assert.ThrowsAsync<FileNotFoundException>(SendAsync);
    }

    private async Task<bool> SendAsync()
    {
        UpdateManifest manifest = Manifest();
        Task<bool> sending = RetryPolicy.ForCalls(_clock, _log).ExecuteAsync(
            async token => await UpdateUploader.SendAsync(new(_channel), manifest, Update, _clock, token)).AsTask();
        await _clock.PassDelaysUntilAsync(Task.WhenAny(sending));
        return await sending;
    }

    private UpdateManifest Manifest() => new()
    {
        Run = "mail",
        Round = 2,
        Attempt = 1,
        Site = "ward-7",
        Content = new() { Sha256 = ContentHash.Of(_content).ToArray(), Length = _content.Length },
        Examples = 9,
        Metrics = new() { TrainingLoss = 0.5, HoldoutExamples = 0, HoldoutLoss = 0, HoldoutAccuracy = 0, Tokens = 1, Seconds = 1 },
    };
}
