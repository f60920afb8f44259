using System.Net;
using System.Net.Http.Headers;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Coordinator.Tests.Endpoints;

/// <summary>Input that is hostile below the level of messages. A status that means "bug of ours" (Internal, Unknown) fails the test.</summary>
public sealed class LimitsTests : IAsyncLifetime
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
    public async Task Upload_MessageAboveTheLimit_IsRefused()
    {
        TestSite site = _coordinator.Site("alpha");
        using var call = site.Client.Upload(site.Headers);
        try
        {
            await call.RequestStream.WriteAsync(new() { Manifest = ByteString.CopyFrom(new byte[ProtocolLimits.MessageBytes]) });
        }
        catch (RpcException)
        {
            // The true status is in the response.
        }

        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Join_MessageAboveTheLimit_IsRefused()
    {
        TestSite site = _coordinator.Site("alpha");
        JoinRequest request = new() { ProtocolVersion = 1, TrainingExamples = 1, AgentVersion = new string('x', ProtocolLimits.MessageBytes) };
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(async () => await site.Client.JoinAsync(request, site.Headers))).StatusCode);
    }

    [Theory]
    [InlineData("Join", "000000000212ff")]
    [InlineData("Join", "0000000004ffffffff")]
    [InlineData("Join", "00ffffffff00")]
    [InlineData("Join", "0000000010")]
    [InlineData("Join", "020000000100")]
    [InlineData("Upload", "0000000004ffffffff")]
    [InlineData("Upload", "0000000010")]
    [InlineData("Work", "0000000004ffffffff")]
    public async Task Call_BytesThatAreNoMessage_IsRefusedAsBadInput(string method, string frame)
    {
        using HttpClient http = new(new SocketsHttpHandler { UseProxy = false });
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(_coordinator.Address, $"/federated.v1.Federation/{method}"))
        {
            Content = new ByteArrayContent(Convert.FromHexString(frame)),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        request.Headers.Authorization = new("Bearer", _world.Tokens["alpha"]);
        using HttpResponseMessage response = await http.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        string? status = new[] { response.Headers, response.TrailingHeaders }
            .Select(headers => headers.TryGetValues("grpc-status", out IEnumerable<string>? values) ? values.Single() : null).FirstOrDefault(value => value is not null);
        Assert.True(status is "3" or "8", $"HTTP {(int)response.StatusCode}, grpc-status {status}, headers {response.Headers} trailers {response.TrailingHeaders}");
    }

    [Fact]
    public async Task Join_GzipThatInflatesBeyondTheLimit_IsRefused()
    {
        TestSite site = _coordinator.Site("alpha");
        JoinRequest bomb = new() { ProtocolVersion = 1, TrainingExamples = 1, AgentVersion = new string('x', 8 * 1024 * 1024) };
        Metadata headers = [.. site.Headers, new("grpc-internal-encoding-request", "gzip")];
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await site.Client.JoinAsync(bomb, headers));
        Assert.True(error.StatusCode == StatusCode.ResourceExhausted, error.ToString());
    }

    [Fact]
    public async Task Join_Gzip_IsUnderstood()
    {
        TestSite site = _coordinator.Site("alpha");
        Metadata headers = [.. site.Headers, new("grpc-internal-encoding-request", "gzip")];
        Assert.Equal("alpha", (await site.Client.JoinAsync(new() { ProtocolVersion = 1, TrainingExamples = 1 }, headers)).Site);
    }
}
