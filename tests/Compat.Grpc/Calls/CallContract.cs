using Federated.Compat.Grpc.Tests.Probe;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>What every server must do, whoever wrote it and whatever encoding it answers with.</summary>
public abstract partial class CallContract(ICallServer server)
{
    private readonly string _id = Guid.NewGuid().ToString("N");

    private Transport.TransportClient Client => server.Client;

    private Ask Wait => new() { Id = _id, Behaviour = Behaviour.Wait };

    private static Ask Ask(string text = "", int size = 0) => new() { Text = text, Payload = ByteString.CopyFrom(new byte[size]) };

    private static Ask Fail(StatusCode status, string detail, int after = 0) =>
        new() { Behaviour = Behaviour.Fail, Status = (int)status, Text = detail, Count = after };

    private async Task<MeetReply> MeetAsync(Point point) => await Client.MeetAsync(new MeetRequest { Id = _id, Point = point });

    [Fact]
    public async Task Unary_Async_EchoesTheRequest()
    {
        Answer answer = await Client.UnaryAsync(new Ask { Text = "grüß dich", Payload = ByteString.CopyFrom(0, 1, 255) });

        Assert.Equal("grüß dich", answer.Text);
        Assert.Equal([0, 1, 255], answer.Payload.ToByteArray());
        Assert.False(answer.Deadline);
        Assert.False(answer.Authenticated);
    }

    [Fact]
    public void Unary_Blocking_EchoesTheRequest() => Assert.Equal("abc", Client.Unary(Ask("abc")).Text);

    [Fact]
    public async Task Unary_EmptyMessages_Arrive() => Assert.Equal("", (await Client.UnaryAsync(new Ask())).Text);

    [Fact]
    public async Task Metadata_TextAndBinary_ComeBackInHeadersAndTrailers()
    {
        Metadata sent = new() { { "Echo-Text", "plain" }, { "echo-text", "again" }, { "echo-raw-bin", [0, 128, 255, 44] } };

        using AsyncUnaryCall<Answer> call = Client.UnaryAsync(Ask(), sent);
        Metadata headers = await call.ResponseHeadersAsync;
        await call;

        foreach (Metadata received in new[] { headers, call.GetTrailers() })
        {
            // .NET's HTTP client sends repeated text headers as one, joined as HTTP allows.
            Assert.Equal("plain, again", received.GetValue("echo-text"));
            Assert.Equal([0, 128, 255, 44], received.GetValueBytes("echo-raw-bin"));
        }

        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ResponseHeaders_HandlerStillRuns_AreThere()
    {
        using AsyncUnaryCall<Answer> call = Client.UnaryAsync(Wait, new Metadata { { "echo-early", "yes" } });

        Assert.Equal("yes", (await call.ResponseHeadersAsync).GetValue("echo-early"));
        Assert.False(call.ResponseAsync.IsCompleted);
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        Assert.Throws<InvalidOperationException>(() => call.GetTrailers());
        await MeetAsync(Point.Release);
        await call;
    }

    [Fact]
    public async Task Fail_DetailWithAnyText_ArrivesWithTrailers()
    {
        const string Detail = "100 % schön\n雪 — done";

        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.UnaryAsync(Fail(StatusCode.FailedPrecondition, Detail)));

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Equal(Detail, error.Status.Detail);
        Assert.Equal("asked-to", error.Trailers.GetValue("reason"));
        Assert.Equal([0, 255, 1], error.Trailers.GetValueBytes("proof-bin"));
    }

    [Theory]
    [InlineData(StatusCode.Cancelled)]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.ResourceExhausted)]
    [InlineData(StatusCode.DataLoss)]
    [InlineData(StatusCode.Unauthenticated)]
    public async Task Fail_AnyStatus_Arrives(StatusCode status)
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await Client.UnaryAsync(Fail(status, "why")));
        Assert.Equal(new { Code = status, Detail = "why" }, new { Code = error.StatusCode, error.Status.Detail });
    }

    [Fact]
    public async Task Unary_TwoHundredAtOnce_AllAnswered()
    {
        IEnumerable<Task<Answer>> calls = Enumerable.Range(0, 200).Select(i => Client.UnaryAsync(Ask($"{i}")).ResponseAsync);
        Answer[] answers = await Task.WhenAll(calls);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}"), answers.Select(answer => answer.Text));
    }
}
