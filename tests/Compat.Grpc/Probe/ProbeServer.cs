using System.IO.Compression;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Protocol;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>
/// The official server on Kestrel over loopback, with three doors: plain text, TLS, and TLS that wants a client certificate.
/// It has the packages' defaults, with the providers of Grpc.Net.Common; the derived servers differ in encoding only.
/// </summary>
public class ProbeServer : ICallServer, IAsyncLifetime
{
    /// <summary>Receive limit of the guarded server, inflated or not: 4 MiB.</summary>
    public const int GuardedLimit = 4 << 20;

    private readonly List<IDisposable> _disposables = [];
    private WebApplication? _app;
    private Uri[] _doors = [];

    public Certificates Certificates { get; } = new();

    public Meetings Meetings { get; } = new();

    public Uri Plain => _doors[0];

    public Uri Tls => _doors[1];

    public Uri MutualTls => _doors[2];

    /// <summary>Plain text to this server with the packages' defaults.</summary>
    public Transport.TransportClient Client { get; private set; } = null!;

    protected virtual string? ReplyEncoding => null;

    protected virtual bool IsGuarded => false;

    /// <summary>Stops taking connections and streams (GOAWAY), and completes when the calls under way have ended.</summary>
    public Task StopAsync() => _app!.StopAsync();

    /// <summary>A channel that lives as long as the server.</summary>
    public GrpcChannel Channel(Uri door, Action<GrpcChannelOptions>? configure = null, SocketsHttpHandler? handler = null)
    {
        GrpcChannelOptions options = new() { HttpHandler = handler ?? Handler(), DisposeHttpClient = true };
        configure?.Invoke(options);
        GrpcChannel channel = GrpcChannel.ForAddress(door, options);
        _disposables.Add(channel);
        return channel;
    }

    /// <summary>Trusts the test authority only, uses no proxy, shows the given certificate.</summary>
    public SocketsHttpHandler Handler(X509Certificate2? certificate = null)
    {
        SocketsHttpHandler handler = new() { UseProxy = false, EnableMultipleHttp2Connections = true };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown is X509Certificate2 server && Certificates.Trusts(server);
        if (certificate is not null)
            handler.SslOptions.ClientCertificates = [certificate];
        return handler;
    }

    public async Task InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(Meetings);
        builder.Services.AddGrpc(options =>
        {
            options.ResponseCompressionAlgorithm = ReplyEncoding;
            options.Interceptors.Add<OrderInterceptor>("global");
            if (!IsGuarded)
                return;
            options.MaxReceiveMessageSize = GuardedLimit;
            options.CompressionProviders.Clear();
            options.CompressionProviders.Add(new BoundedGzipProvider(GuardedLimit, CompressionLevel.Fastest));
        }).AddServiceOptions<TransportService>(options => options.Interceptors.Add<OrderInterceptor>("service"));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, door => door.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, door => door.UseHttps(Certificates.Server));
            kestrel.Listen(IPAddress.Loopback, 0, door => door.UseHttps(https =>
            {
                https.ServerCertificate = Certificates.Server;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (shown, _, _) => Certificates.Trusts(shown);
            }));
        });
        _app = builder.Build();
        _app.MapGrpcService<TransportService>();
        await _app.StartAsync();
        _doors = [.. _app.Urls.Select(url => new Uri(url))];
        Client = new Transport.TransportClient(Channel(Plain));
    }

    public async Task DisposeAsync()
    {
        _disposables.ForEach(disposable => disposable.Dispose());
        if (_app is not null)
            await _app.DisposeAsync();
        Certificates.Dispose();
    }
}

/// <summary>Answers with gzip.</summary>
public sealed class GzipServer : ProbeServer
{
    protected override string? ReplyEncoding => "gzip";
}

/// <summary>Takes gzip only, inflated within its receive limit, and answers with it.</summary>
public sealed class GuardedServer : ProbeServer
{
    protected override string? ReplyEncoding => "gzip";

    protected override bool IsGuarded => true;
}
