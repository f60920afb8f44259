using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>Calls that end before they are answered, whoever wants that.</summary>
public sealed class CancellationTests(ProbeServer server) : IClassFixture<ProbeServer>
{
    private readonly string _id = Guid.NewGuid().ToString("N");

    private Ask Wait => new() { Id = _id, Behaviour = Behaviour.Wait };

    [Fact]
    public async Task Deadline_Passes_BothSidesEnd()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.UnaryAsync(Wait, deadline: DateTime.UtcNow.AddMilliseconds(100)));
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Fact]
    public async Task Deadline_FarAway_IsSeenByTheServer() =>
        Assert.True((await server.Client.UnaryAsync(new Ask(), deadline: DateTime.UtcNow.AddHours(1))).Deadline);

    [Fact]
    public async Task Deadline_AlreadyPast_NothingIsSent()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.UnaryAsync(Wait, deadline: DateTime.UtcNow.AddSeconds(-1)));

        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);

        // Calls of one connection start in order: an answered one shows that none came before it.
        await server.Client.UnaryAsync(new Ask());
        Assert.False(server.Meetings[_id].Started.IsCompleted);
    }

    [Fact]
    public async Task Deadline_KnownToTheServerOnly_ServerEndsTheCall()
    {
        using RawClient raw = new(server.Plain);
        RawReply reply = await raw.PostAsync("Unary", RawClient.Frame(0, Wait), ("grpc-timeout", "100m"));

        Assert.Equal("4", reply.Status);
        await server.Meetings[_id].Cancelled;
    }

    [Fact]
    public async Task Token_WhileTheServerWorks_CancelsBothSides()
    {
        using CancellationTokenSource stop = new();
        using AsyncUnaryCall<Answer> call = server.Client.UnaryAsync(Wait, cancellationToken: stop.Token);
        await server.Meetings[_id].Started;

        await stop.CancelAsync();

        RpcException error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
        await server.Meetings[_id].Cancelled;
    }

    [Fact]
    public async Task Token_CancelledBefore_NothingIsSent()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.UnaryAsync(Wait, cancellationToken: new CancellationToken(true)));
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
        await server.Client.UnaryAsync(new Ask());
        Assert.False(server.Meetings[_id].Started.IsCompleted);
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
    public async Task Dispose_DuplexWhileTheServerWorks_ServerTokenFires()
    {
        using (AsyncDuplexStreamingCall<Ask, Answer> call = server.Client.Chat())
        {
            await call.RequestStream.WriteAsync(Wait);
            await server.Meetings[_id].Started;
        }

        await server.Meetings[_id].Cancelled;
    }

    [Fact]
    public async Task MoveNext_TokenCancelled_EndsTheCall()
    {
        using CancellationTokenSource stop = new();
        using AsyncServerStreamingCall<Answer> call = server.Client.Download(Wait);
        await server.Meetings[_id].Started;

        Task<bool> next = call.ResponseStream.MoveNext(stop.Token);
        await stop.CancelAsync();

        RpcException error = await Assert.ThrowsAsync<RpcException>(() => next);
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
        await server.Meetings[_id].Cancelled;
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
}
