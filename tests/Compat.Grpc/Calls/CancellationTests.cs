using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>Calls that end before they are answered, where it takes a server of ours to see it.</summary>
public sealed class CancellationTests(ProbeServer server) : IClassFixture<ProbeServer>
{
    private readonly string _id = Guid.NewGuid().ToString("N");

    private Ask Wait => new() { Id = _id, Behaviour = Behaviour.Wait };

    [Fact]
    public async Task Deadline_KnownToTheServerOnly_ServerEndsTheCall()
    {
        using RawClient raw = new(server.Plain);
        RawReply reply = await raw.PostAsync("Unary", RawClient.Frame(0, Wait), ("grpc-timeout", "100m"));

        Assert.Equal("4", reply.Status);
        await server.Meetings[_id].Cancelled;
    }

    [Fact]
    public async Task Token_OptionSaysSo_ThrowsOperationCanceled()
    {
        Transport.TransportClient client = new(server.Channel(server.Plain, options => options.ThrowOperationCanceledOnCancellation = true));
        using CancellationTokenSource stop = new();
        using AsyncUnaryCall<Answer> call = client.UnaryAsync(Wait, cancellationToken: stop.Token);
        await server.Meetings[_id].Started;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.ResponseAsync);
    }

    [Fact]
    public async Task Server_StopsDuringACall_CallEndsWellAndNoNewOneStarts()
    {
        ProbeServer stopping = new();
        await stopping.InitializeAsync();
        using AsyncUnaryCall<Answer> call = stopping.Client.UnaryAsync(new Ask { Id = _id, Behaviour = Behaviour.Wait, Text = "last" });
        await stopping.Meetings[_id].Started;

        Task stopped = stopping.StopAsync();
        stopping.Meetings[_id].Release();

        Assert.Equal("last", (await call).Text);
        await stopped;
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await stopping.Client.UnaryAsync(new Ask()));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        await stopping.DisposeAsync();
    }

    [Fact]
    public async Task Crash_Handler_IsUnknownAndTellsNothing()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.UnaryAsync(new Ask { Behaviour = Behaviour.Crash }));
        Assert.Equal(StatusCode.Unknown, error.StatusCode);
        Assert.DoesNotContain("secret", error.Status.Detail, StringComparison.Ordinal);
    }
}
