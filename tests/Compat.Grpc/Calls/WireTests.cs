using System.Net;
using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>Bytes that a gRPC client does not send, and servers that are not there.</summary>
public sealed class WireTests(GuardedServer server) : IClassFixture<GuardedServer>, IDisposable
{
    private readonly RawClient _raw = new(server.Plain);

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task Frame_Whole_IsAnsweredWithTrailers()
    {
        RawReply reply = await _raw.PostAsync("Unary", RawClient.Frame(0, new Ask { Text = "raw" }));

        Assert.Equal("0", reply.Status);
        Assert.Equal(0, reply.Body[0]);
        Assert.Equal("raw", Answer.Parser.ParseFrom(reply.Body.AsSpan(5)).Text);
    }

    [Fact]
    public async Task Frame_FlagTwo_IsAnError() =>
        Assert.NotEqual("0", (await _raw.PostAsync("Unary", RawClient.Frame(2, new Ask()))).Status);

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData((uint)int.MaxValue)]
    [InlineData((uint)ProbeServer.GuardedLimit + 1)]
    public async Task Frame_AnnouncesTooMuch_IsRefusedBeforeItArrives(uint announced)
    {
        RawReply reply = await _raw.PostAsync("Unary", RawClient.Frame(0, [], announced));
        Assert.Contains(reply.Status, announced > int.MaxValue ? ["2", "8"] : new[] { "8" });
    }

    [Fact]
    public async Task Frame_CutShort_IsInternal() =>
        Assert.Equal("13", (await _raw.PostAsync("Unary", RawClient.Frame(0, [1, 2], announced: 100))).Status);

    [Fact]
    public async Task Frame_Missing_IsInternal() => Assert.Equal("13", (await _raw.PostAsync("Unary", [])).Status);

    [Fact]
    public async Task Frame_Two_UnaryIsInternal()
    {
        byte[] one = RawClient.Frame(0, new Ask());
        Assert.Equal("13", (await _raw.PostAsync("Unary", [.. one, .. one])).Status);
    }

    [Fact]
    public async Task Message_IsNoProtobuf_IsAnError() =>
        Assert.NotEqual("0", (await _raw.PostAsync("Unary", RawClient.Frame(0, [0xFF, 0xFF, 0xFF]))).Status);

    [Fact]
    public async Task ContentType_Json_IsRefusedByHttp() =>
        Assert.Equal(
            HttpStatusCode.UnsupportedMediaType,
            (await _raw.PostAsync("Unary", RawClient.Frame(0, new Ask()), ("content-type", "application/json"))).Http);

    [Fact]
    public async Task Http1_OnAnHttp2Door_IsRefused()
    {
        using HttpClient http = new(new SocketsHttpHandler { UseProxy = false });
        using HttpRequestMessage request = new(HttpMethod.Post, server.Plain) { Version = HttpVersion.Version11 };
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("federated.tests.v1.Transport", "Nothing")]
    [InlineData("no.Such", "Unary")]
    public async Task Method_Unknown_IsUnimplemented(string service, string name)
    {
        Method<string, string> method = new(MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        CallInvoker invoker = server.Channel(server.Plain).CreateCallInvoker();
        using AsyncUnaryCall<string> call = invoker.AsyncUnaryCall(method, null, default, "hello");
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Host_Refuses_IsUnavailable()
    {
        // Bound but not listening: nobody else can take the port, and connecting is refused.
        using System.Net.Sockets.Socket closed = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Transport.TransportClient client = new(server.Channel(new Uri($"http://{closed.LocalEndPoint}")));

        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new Ask()));

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.NotNull(error.Status.DebugException);
    }
}
