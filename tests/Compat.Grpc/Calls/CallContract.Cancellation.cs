using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>Calls that end before they are answered, whoever wants that.</summary>
public abstract partial class CallContract
{
    [Fact]
    public async Task Deadline_Passes_IsDeadlineExceeded()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.UnaryAsync(Wait, deadline: DateTime.UtcNow.AddMilliseconds(500)));
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Fact]
    public async Task Deadline_FarAway_IsSeenByTheServer() =>
        Assert.True((await Client.UnaryAsync(new Ask(), deadline: DateTime.UtcNow.AddHours(1))).Deadline);

    [Fact]
    public async Task Deadline_AlreadyPast_NothingIsSent()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.UnaryAsync(Wait, deadline: DateTime.UtcNow.AddSeconds(-1)));

        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);

        // Calls of one connection start in order: this one comes after any that was sent.
        Assert.False((await MeetAsync(Point.Now)).Started);
    }

    [Fact]
    public async Task Token_WhileTheServerWorks_CancelsBothSides()
    {
        using CancellationTokenSource stop = new();
        using AsyncUnaryCall<Answer> call = Client.UnaryAsync(Wait, cancellationToken: stop.Token);
        await MeetAsync(Point.Started);

        await stop.CancelAsync();

        RpcException error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
        await MeetAsync(Point.Cancelled);
    }

    [Fact]
    public async Task Token_CancelledBefore_NothingIsSent()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.UnaryAsync(Wait, cancellationToken: new CancellationToken(true)));
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
        Assert.False((await MeetAsync(Point.Now)).Started);
    }

    [Fact]
    public async Task Dispose_DuplexWhileTheServerWorks_ServerTokenFires()
    {
        using (AsyncDuplexStreamingCall<Ask, Answer> call = Client.Chat())
        {
            await call.RequestStream.WriteAsync(Wait);
            await MeetAsync(Point.Started);
        }

        await MeetAsync(Point.Cancelled);
    }

    [Fact]
    public async Task MoveNext_TokenCancelled_EndsTheCall()
    {
        using CancellationTokenSource stop = new();
        using AsyncServerStreamingCall<Answer> call = Client.Download(Wait);
        await MeetAsync(Point.Started);

        Task<bool> next = call.ResponseStream.MoveNext(stop.Token);
        await stop.CancelAsync();

        RpcException error = await Assert.ThrowsAsync<RpcException>(() => next);
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
        await MeetAsync(Point.Cancelled);
    }
}
