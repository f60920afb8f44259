using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using static Federated.Coordinator.Tests.Support.Refusals;

namespace Federated.Coordinator.Tests.Endpoints;

public sealed class FetchTests : IAsyncLifetime
{
    private readonly TestWorld _world = new(TinyModel.Yaml("model"), TinyModel.Yaml("model", run: "other", sites: "[delta]"));
    private TestCoordinator _coordinator = null!;
    private (TestSite Site, TaskStream Work)[] _sites = [];
    private RoundPlan _plan = null!;

    public async Task InitializeAsync()
    {
        // Several chunks long.
        await File.WriteAllTextAsync(Path.Combine(_world.Model, "tokenizer.json"), new string('x', (3 * ProtocolLimits.ChunkBytes) + 17));
        _coordinator = await TestCoordinator.StartAsync(_world);
        _sites = await _coordinator.ArriveAsync("alpha", "beta", "gamma");
        _plan = await _sites[0].Work.NextPlanAsync();
    }

    public async Task DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task Fetch_EveryFileOfThePlan_HasItsHashAndLength()
    {
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], _plan.Model.Select(file => file.Name));
        foreach (BlobReference content in _plan.Model.Select(file => file.Content).Append(_plan.Global))
        {
            byte[] bytes = await Alpha.FetchAsync(content.Sha256);
            Assert.Equal(content.Length, bytes.Length);
            Assert.Equal(content.Sha256, ContentHash.Of(bytes).ToArray());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(ProtocolLimits.ChunkBytes)]
    [InlineData((3 * ProtocolLimits.ChunkBytes) + 16)]
    [InlineData((3 * ProtocolLimits.ChunkBytes) + 17)]
    public async Task Fetch_FromAnOffset_GivesTheRest(int offset)
    {
        byte[] all = await File.ReadAllBytesAsync(Path.Combine(_world.Model, "tokenizer.json"));
        Assert.Equal(all[offset..], await Alpha.FetchAsync(Tokenizer.Sha256, offset));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData((3 * ProtocolLimits.ChunkBytes) + 18)]
    public Task Fetch_OffsetOutside_IsRefused(long offset) => RefusedAsync(RejectReason.LengthMismatch, () => Alpha.FetchAsync(Tokenizer.Sha256, offset));

    [Fact]
    public Task Fetch_UnknownHash_IsRefused() => RefusedAsync(RejectReason.NoSuchBlob, () => Alpha.FetchAsync(new byte[32]));

    [Fact]
    public Task Fetch_HashOfTheWrongLength_IsRefused() => RefusedAsync(RejectReason.Malformed, () => Alpha.FetchAsync([1, 2]));

    [Fact]
    public async Task Fetch_UpdateOfAnotherSite_IsRefused()
    {
        byte[] update = Update.Good(await Alpha.FetchAsync(_plan.Global.Sha256), "alpha", 1);
        await Alpha.UploadAsync(Update.Manifest(_plan, "alpha", update), update);
        await RefusedAsync(RejectReason.NoSuchBlob, () => _sites[1].Site.FetchAsync(ContentHash.Of(update).ToArray()));
    }

    [Fact]
    public async Task Fetch_SiteOfAnotherRun_GetsItsOwnRunsOnly()
    {
        using TestWorld world = new(TinyModel.Yaml("model"), TinyModel.Yaml("model", run: "other", sites: "[delta]").Replace("seed: 7", "seed: 8", StringComparison.Ordinal));
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(world);
        TestSite delta = coordinator.Site("delta");
        await RefusedAsync(RejectReason.NoSuchBlob, () => delta.FetchAsync(coordinator.State("mail").Global.Sha256));
        Assert.NotEmpty(await delta.FetchAsync(coordinator.State("other").Global.Sha256));
    }

    [Fact]
    public async Task Fetch_ModelFileThatChanged_IsRefused()
    {
        await File.AppendAllTextAsync(Path.Combine(_world.Model, "tokenizer.json"), "y");
        await RefusedAsync(RejectReason.NoSuchBlob, () => Alpha.FetchAsync(Tokenizer.Sha256));
    }

    private TestSite Alpha => _sites[0].Site;

    private BlobReference Tokenizer => _plan.Model.Single(file => file.Name == "tokenizer.json").Content;
}
