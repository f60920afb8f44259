using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

public abstract partial class CallContract
{
    [Fact]
    public async Task Download_FiveMessages_ArriveInOrder()
    {
        using AsyncServerStreamingCall<Answer> call = Client.Download(new Ask { Count = 5, Size = 100_000 });
        List<int> numbers = [];
        await foreach (Answer answer in call.ResponseStream.ReadAllAsync())
        {
            Assert.Equal(100_000, answer.Payload.Length);
            numbers.Add(answer.Messages);
        }

        Assert.Equal([0, 1, 2, 3, 4], numbers);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Download_ErrorAfterThree_ThreeArriveThenTheStatus()
    {
        Ask ask = Fail(StatusCode.Aborted, "enough", after: 3);
        using AsyncServerStreamingCall<Answer> call = Client.Download(ask);
        int arrived = 0;
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext())
                arrived++;
        });

        Assert.Equal(3, arrived);
        Assert.Equal(StatusCode.Aborted, error.StatusCode);
        Assert.Equal("asked-to", error.Trailers.GetValue("reason"));
    }

    [Fact]
    public async Task Download_DisposedMidway_ServerTokenFires()
    {
        using (AsyncServerStreamingCall<Answer> call = Client.Download(new Ask { Id = _id, Count = int.MaxValue, Size = 1 << 16 }))
            Assert.True(await call.ResponseStream.MoveNext());

        await MeetAsync(Point.Cancelled);
    }

    [Fact]
    public async Task Download_ReaderIsSlow_WriterWaits()
    {
        // 40 MiB in all. Read are 4, and at most 16 more fit into the client's receive window however far it grows.
        const int Messages = 160;
        using AsyncServerStreamingCall<Answer> call = Client.Download(
            new Ask { Id = _id, Count = Messages, Size = 1 << 18, Noise = true });
        for (int read = 0; read < 16; read++)
            Assert.True(await call.ResponseStream.MoveNext());

        Assert.InRange((await MeetAsync(Point.Now)).Written, 15, 120);
    }

    [Fact]
    public async Task Upload_Messages_AreSummed()
    {
        using AsyncClientStreamingCall<Ask, Answer> call = Client.Upload();
        for (int i = 0; i < 20; i++)
            await call.RequestStream.WriteAsync(Ask(size: 100_000), CancellationToken.None);
        await call.RequestStream.CompleteAsync();

        Answer answer = await call;

        Assert.Equal(20, answer.Messages);
        Assert.Equal(2_000_000, answer.Bytes);
    }

    [Fact]
    public async Task Upload_Nothing_IsAnswered()
    {
        using AsyncClientStreamingCall<Ask, Answer> call = Client.Upload();
        await call.RequestStream.CompleteAsync();
        Assert.Equal(0, (await call).Messages);
    }

    [Fact]
    public async Task Upload_RefusedMidway_ResponseHasTheTrueStatus()
    {
        using AsyncClientStreamingCall<Ask, Answer> call = Client.Upload();
        Ask chunk = Fail(StatusCode.ResourceExhausted, "round is full", after: 3);
        chunk.Payload = Ask(size: 1 << 18).Payload;

        // No end: only the refusal stops it. A failed write says little; the response says why.
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (true)
                await call.RequestStream.WriteAsync(chunk);
        });
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal("round is full", error.Status.Detail);
    }

    [Fact]
    public async Task Chat_PingPong_AnswersOneByOne()
    {
        using AsyncDuplexStreamingCall<Ask, Answer> call = Client.Chat();
        for (int i = 1; i <= 10; i++)
        {
            await call.RequestStream.WriteAsync(Ask($"ping {i}"));
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(($"ping {i}", i), (call.ResponseStream.Current.Text, call.ResponseStream.Current.Messages));
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Chat_ErrorMidway_EndsBothStreams()
    {
        using AsyncDuplexStreamingCall<Ask, Answer> call = Client.Chat();
        await call.RequestStream.WriteAsync(Ask("one"));
        Assert.True(await call.ResponseStream.MoveNext());
        await call.RequestStream.WriteAsync(Fail(StatusCode.OutOfRange, "two"));

        RpcException error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OutOfRange, error.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => call.RequestStream.WriteAsync(Ask("three")));
    }

    [Fact]
    public async Task Chat_HundredAndFiftyOpen_AllLive()
    {
        // Kestrel takes 100 streams a connection; the handler opens another one.
        List<AsyncDuplexStreamingCall<Ask, Answer>> calls = [.. Enumerable.Range(0, 150).Select(_ => Client.Chat())];
        await Task.WhenAll(calls.Select(call => call.RequestStream.WriteAsync(Ask("open"))));
        bool[] open = await Task.WhenAll(calls.Select(call => call.ResponseStream.MoveNext()));
        Assert.DoesNotContain(false, open);

        await Task.WhenAll(calls.Select(call => call.RequestStream.CompleteAsync()));
        bool[] more = await Task.WhenAll(calls.Select(call => call.ResponseStream.MoveNext()));
        Assert.DoesNotContain(true, more);
        calls.ForEach(call => call.Dispose());
    }

    [Fact]
    public async Task Write_WhileAnotherIsUnderWay_IsRefused()
    {
        using AsyncClientStreamingCall<Ask, Answer> call = Client.Upload();
        await call.RequestStream.WriteAsync(Wait);
        await MeetAsync(Point.Started);

        // The server reads nothing now: writes of 1 MiB soon wait for window.
        Task pending = Task.CompletedTask;
        while (pending.IsCompleted)
        {
            await pending;
            pending = call.RequestStream.WriteAsync(Ask(size: 1 << 20));
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(Ask()));
        await MeetAsync(Point.Release);
        await pending;
        await call.RequestStream.CompleteAsync();
        await call;
    }
}
