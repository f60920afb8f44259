using System.Buffers.Binary;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using Google.Protobuf;
using Grpc.Core;
using static Federated.Coordinator.Tests.Support.Refusals;

namespace Federated.Coordinator.Tests.Endpoints;

/// <summary>Every way in which an update can be wrong: a clear refusal, nothing left on the disk, the round goes on and a good update still counts.</summary>
public sealed class UploadRefusalTests : IAsyncLifetime
{
    private const string ATensor = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";

    private readonly TestWorld _world = new(TinyModel.Yaml("model", extra: "quorum: 2\nnorm_cap: 5"));
    private TestCoordinator _coordinator = null!;
    private TestSite _site = null!;
    private RoundPlan _plan = null!;
    private byte[] _global = [];

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync(_world);
        var sites = await _coordinator.ArriveAsync("alpha", "beta", "gamma");
        _site = sites[0].Site;
        _plan = await sites[0].Work.NextPlanAsync();
        _global = await _site.FetchAsync(_plan.Global.Sha256);
    }

    public async Task DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task WrongShape_IsRefusedWithGotAndWanted()
    {
        byte[] update = Update.Redeclared(_global, t => [t.Name == ATensor ? TensorInfo.Declare(t.Name, DType.F32, 3, 8) : t]);
        RpcException error = await RefuseAsync(RejectReason.BadShape, update);
        Assert.Contains("(3, 8)", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("(2, 8)", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public Task WrongElementType_IsRefused() => RefuseAsync(RejectReason.BadDType,
        Update.Redeclared(_global, t => [TensorInfo.Declare(t.Name, DType.F16, t.Shape)]));

    [Fact]
    public Task MissingTensor_IsRefused() => RefuseAsync(RejectReason.BadTensorSet, Update.Redeclared(_global, t => t.Name == ATensor ? [] : [t]));

    [Fact]
    public Task SurplusTensor_IsRefused() => RefuseAsync(RejectReason.BadTensorSet,
        Update.Redeclared(_global, t => t.Name == ATensor ? [t, TensorInfo.Declare("surplus", DType.F32, 1)] : [t]));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public async Task NotFinite_IsRefusedWithItsPlace(float value)
    {
        TensorInfo first = Update.Header(_global).Tensors[0];
        RpcException error = await RefuseAsync(RejectReason.NotFinite, Update.With(_global, 3, value));
        Assert.Contains($"'{first.Name}'", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("element 3", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public Task NormAboveTheCap_IsRefused() => RefuseAsync(RejectReason.NormCap, Update.Scaled(_global, 3));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(101)]
    public Task WeightOutOfRange_IsRefused(long examples) => RefuseAsync(RejectReason.BadWeight, Good, manifest => manifest with { Examples = examples });

    [Theory]
    [InlineData("""{"a":""")]
    [InlineData("""[]""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,8]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}""")]
    [InlineData("""{"a":{"dtype":"X9","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""")]
    public async Task HostileHeader_IsRefusedWithoutEchoingIt(string json)
    {
        byte[] update = Update.WithHeader(_global, json);
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => _site.UploadAsync(Update.Manifest(_plan, "alpha", update), update));
        Assert.Contains(error.Trailers.GetValue(ProtocolLimits.ReasonTrailer), (string[])["BAD_HEADER", "BAD_SHAPE", "BAD_DTYPE", "BAD_OFFSETS", "BAD_TENSOR_SET"]);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.DoesNotContain("X9", error.Status.Detail, StringComparison.Ordinal);
        await AssertTheRoundGoesOnAsync();
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 20)]
    [InlineData(0ul)]
    public Task HeaderLengthThatLies_IsRefused(ulong length)
    {
        byte[] update = [.. _global];
        BinaryPrimitives.WriteUInt64LittleEndian(update, length);
        return RefuseAsync(RejectReason.BadHeader, update);
    }

    [Fact]
    public Task BytesAfterTheLastTensor_AreRefused() => RefuseAsync(RejectReason.BadHeader, [.. _global, 0, 0, 0, 0]);

    [Fact]
    public async Task Truncated_IsRefusedAndWorthAnotherTry()
    {
        UpdateManifest manifest = Update.Manifest(_plan, "alpha", Good);
        await RefusedAsync(RejectReason.LengthMismatch, () => _site.UploadAsync(manifest, Good[..^10]));
        await AssertTheRoundGoesOnAsync(dropped: false);
    }

    [Fact]
    public async Task LongerThanAnnounced_IsRefusedAndWorthAnotherTry()
    {
        UpdateManifest manifest = Update.Manifest(_plan, "alpha", Good);
        await RefusedAsync(RejectReason.LengthMismatch, () => _site.UploadAsync(manifest, [.. Good, 1]));
        await AssertTheRoundGoesOnAsync(dropped: false);
    }

    [Fact]
    public async Task Corrupted_IsRefusedAndWorthAnotherTry()
    {
        UpdateManifest manifest = Update.Manifest(_plan, "alpha", Good);
        byte[] flipped = [.. Good];
        flipped[^1] ^= 1;
        await RefusedAsync(RejectReason.DigestMismatch, () => _site.UploadAsync(manifest, flipped));
        await AssertTheRoundGoesOnAsync(dropped: false);
    }

    [Fact]
    public Task AnnouncedTooLarge_IsRefusedBeforeAByteIsRead() => RefuseAsync(RejectReason.MessageTooLarge, Good,
        manifest => manifest with { Content = manifest.Content with { Length = 1L << 40 } }, dropped: false);

    [Fact]
    public Task NameOfAnotherSite_IsRefused() => RefuseAsync(RejectReason.IdentityMismatch, Good, manifest => manifest with { Site = "beta" }, dropped: false);

    [Theory]
    [InlineData("../x")]
    [InlineData("mail\n")]
    [InlineData("")]
    [InlineData("con")]
    public Task BadName_IsRefused(string run) => RefuseAsync(RejectReason.BadName, Good, manifest => manifest with { Run = run }, dropped: false);

    [Fact]
    public Task UnknownRun_IsRefused() => RefuseAsync(RejectReason.NoSuchRun, Good, manifest => manifest with { Run = "other" }, dropped: false);

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    public Task OtherRoundOrAttempt_IsRefused(int round, int attempt) => RefuseAsync(RejectReason.WrongAttempt, Good,
        manifest => manifest with { Round = round, Attempt = attempt }, dropped: false);

    [Fact]
    public Task MetricsOutOfRange_AreRefused() => RefuseAsync(RejectReason.Malformed, Good,
        manifest => manifest with { Metrics = manifest.Metrics with { TrainingLoss = double.NaN } }, dropped: false);

    [Fact]
    public Task HashOfTheWrongLength_IsRefused() => RefuseAsync(RejectReason.Malformed, Good,
        manifest => manifest with { Content = manifest.Content with { Sha256 = [1, 2, 3] } }, dropped: false);

    [Fact]
    public async Task ManifestThatDoesNotParse_IsRefused()
    {
        using var call = _site.Client.Upload(_site.Headers);
        await call.RequestStream.WriteAsync(new() { Manifest = ByteString.CopyFrom(0x9f, 0xff, 0xff) });
        await RefusedAsync(RejectReason.Malformed, async () => await call.ResponseAsync);
        await AssertTheRoundGoesOnAsync(dropped: false);
    }

    [Fact]
    public async Task ChunkBeforeTheManifest_IsRefused()
    {
        using var call = _site.Client.Upload(_site.Headers);
        await call.RequestStream.WriteAsync(new() { Chunk = ByteString.CopyFrom(1, 2, 3) });
        await RefusedAsync(RejectReason.Malformed, async () => await call.ResponseAsync);
    }

    [Fact]
    public async Task EmptyChunks_AreRefused()
    {
        using var call = _site.Client.Upload(_site.Headers);
        await call.RequestStream.WriteAsync(new() { Manifest = ByteString.CopyFrom(Records.Encode(Update.Manifest(_plan, "alpha", Good))) });
        await call.RequestStream.WriteAsync(new() { Chunk = ByteString.Empty });
        await RefusedAsync(RejectReason.Malformed, async () => await call.ResponseAsync);
        await AssertTheRoundGoesOnAsync(dropped: false);
    }

    [Fact]
    public async Task CompressedParts_AreRefused()
    {
        RpcException error = await RefusedAsync(RejectReason.Encoding,
            () => _site.UploadAsync(Update.Manifest(_plan, "alpha", Good), Good, extra: new Metadata { { "grpc-internal-encoding-request", "gzip" } }));
        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
    }

    [Fact]
    public async Task SecondUploadAtTheSameTime_IsToldToWait()
    {
        using var first = _site.Client.Upload(_site.Headers);
        await first.RequestStream.WriteAsync(new() { Manifest = ByteString.CopyFrom(Records.Encode(Update.Manifest(_plan, "alpha", Good))) });
        await first.RequestStream.WriteAsync(new() { Chunk = ByteString.CopyFrom(Good, 0, 100) });
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (_world.Temporaries.Count == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await RefusedAsync(RejectReason.Busy, () => _site.UploadAsync(Update.Manifest(_plan, "alpha", Good), Good));
        await first.RequestStream.WriteAsync(new() { Chunk = ByteString.CopyFrom(Good, 100, Good.Length - 100) });
        await first.RequestStream.CompleteAsync();
        Assert.False((await first.ResponseAsync).Duplicate);
    }

    private byte[] Good => Update.Good(_global, "alpha", 1);

    private async Task<RpcException> RefuseAsync(RejectReason reason, byte[] update, Func<UpdateManifest, UpdateManifest>? change = null, bool dropped = true)
    {
        UpdateManifest manifest = Update.Manifest(_plan, "alpha", update);
        RpcException error = await RefusedAsync(reason, () => _site.UploadAsync(change?.Invoke(manifest) ?? manifest, update));
        await AssertTheRoundGoesOnAsync(dropped);
        return error;
    }

    private async Task AssertTheRoundGoesOnAsync(bool dropped = true)
    {
        Assert.Empty(_world.Temporaries);
        if (dropped)
            await _coordinator.WaitForAsync(state => state.Open!.Dropped.ContainsKey("alpha"));
        Assert.Empty(_coordinator.State().Open!.Accepted);
        Assert.False((await _site.UploadAsync(Update.Manifest(_plan, "alpha", Good), Good)).Duplicate);
        Assert.Equal(["alpha"], _coordinator.State().Open!.Accepted.Keys);
    }
}
