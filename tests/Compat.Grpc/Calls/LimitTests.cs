using Federated.Compat.Grpc.Tests.Probe;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>Message sizes; both sides take 4 MiB unless told otherwise.</summary>
public sealed class LimitTests(ProbeServer server) : IClassFixture<ProbeServer>
{
    private const int FiveMiB = 5 << 20;

    private static Ask Large => new() { Payload = ByteString.CopyFrom(new byte[FiveMiB]) };

    [Fact]
    public async Task Receive_ReplyOverTheLimit_IsResourceExhausted()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await server.Client.UnaryAsync(new Ask { Size = FiveMiB }));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task Receive_ReplyUnderARaisedLimit_Arrives()
    {
        Transport.TransportClient client = new(server.Channel(server.Plain, options => options.MaxReceiveMessageSize = 16 << 20));
        Assert.Equal(FiveMiB, (await client.UnaryAsync(new Ask { Size = FiveMiB })).Payload.Length);
    }

    [Fact]
    public async Task Receive_RequestOverTheServersLimit_IsResourceExhausted()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await server.Client.UnaryAsync(Large));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task Receive_StreamedRequestOverTheServersLimit_ResponseSaysResourceExhausted()
    {
        using AsyncClientStreamingCall<Ask, Answer> call = server.Client.Upload();
        await Record.ExceptionAsync(() => call.RequestStream.WriteAsync(Large));
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Send_OverTheClientsLimit_IsResourceExhaustedAndNothingIsSent()
    {
        Transport.TransportClient client = new(server.Channel(server.Plain, options => options.MaxSendMessageSize = 1000));
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await client.UnaryAsync(new Ask { Payload = ByteString.CopyFrom(new byte[1001]) }));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }
}
