using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>Interceptors on both sides, and what else changes a call on its way out.</summary>
public sealed class InterceptorTests(ProbeServer server) : IClassFixture<ProbeServer>
{
    [Fact]
    public async Task Server_GlobalAndServiceInterceptors_GlobalIsOutermost()
    {
        using AsyncUnaryCall<Answer> call = server.Client.UnaryAsync(new Ask());
        await call;
        Assert.Equal(["global", "service"], call.GetTrailers().GetAll("order").Select(entry => entry.Value));
    }

    [Fact]
    public async Task Client_ListOfInterceptors_FirstListedRunsFirstInEveryShape()
    {
        List<string> log = [];
        Transport.TransportClient client = new(server.Channel(server.Plain).Intercept(
            new LoggingInterceptor("first", log), new LoggingInterceptor("second", log)));

        client.Unary(new Ask());
        await client.UnaryAsync(new Ask());
        using (AsyncServerStreamingCall<Answer> download = client.Download(new Ask()))
            Assert.False(await download.ResponseStream.MoveNext());
        using (AsyncClientStreamingCall<Ask, Answer> upload = client.Upload())
        {
            await upload.RequestStream.CompleteAsync();
            await upload;
        }

        using (AsyncDuplexStreamingCall<Ask, Answer> chat = client.Chat())
        {
            await chat.RequestStream.CompleteAsync();
            Assert.False(await chat.ResponseStream.MoveNext());
        }

        string[] shapes = ["blocking", "unary", "download", "upload", "chat"];
        Assert.Equal(shapes.SelectMany(shape => new[] { $"first {shape}", $"second {shape}" }), log);
    }

    [Fact]
    public async Task Client_HeadersFunction_ChangesTheHeadersOfEveryCall()
    {
        CallInvoker invoker = server.Channel(server.Plain).Intercept(headers =>
        {
            headers.Add("echo-added", $"{headers.Count}");
            return headers;
        });
        Transport.TransportClient client = new(invoker);

        using AsyncUnaryCall<Answer> without = client.UnaryAsync(new Ask());
        using AsyncUnaryCall<Answer> with = client.UnaryAsync(new Ask(), new Metadata { { "echo-mine", "yes" } });
        using AsyncServerStreamingCall<Answer> download = client.Download(new Ask());

        Assert.Equal("0", (await without.ResponseHeadersAsync).GetValue("echo-added"));
        Assert.Equal("1", (await with.ResponseHeadersAsync).GetValue("echo-added"));
        Assert.Equal("yes", (await with.ResponseHeadersAsync).GetValue("echo-mine"));
        Assert.Equal("0", (await download.ResponseHeadersAsync).GetValue("echo-added"));
    }

    [Fact]
    public void WithHost_Interceptor_SeesTheHost()
    {
        List<string> hosts = [];
        CallInvoker invoker = server.Channel(server.Plain).Intercept(new LoggingInterceptor("host", hosts, logHost: true));
        Transport.TransportClient client = new(invoker);

        client.Unary(new Ask());
        client.WithHost("other.example").Unary(new Ask());

        Assert.Equal(["host blocking ", "host blocking other.example"], hosts);
    }

    [Fact]
    public void Client_WithoutChannel_CannotCall() => Assert.Throws<NotImplementedException>(() => new Mock().Unary(new Ask()));

    private sealed class Mock : Transport.TransportClient;

    private sealed class LoggingInterceptor(string name, List<string> log, bool logHost = false) : Interceptor
    {
        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            Log("blocking", context.Host);
            return continuation(request, context);
        }

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            Log("unary", context.Host);
            return continuation(request, context);
        }

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            Log("download", context.Host);
            return continuation(request, context);
        }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            Log("upload", context.Host);
            return continuation(context);
        }

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            Log("chat", context.Host);
            return continuation(context);
        }

        private void Log(string shape, string? host) => log.Add(logHost ? $"{name} {shape} {host}" : $"{name} {shape}");
    }
}
