using Federated.Coordinator.Endpoints;
using Federated.Shared.Protocol;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Federated.Coordinator.Hosting;

/// <summary>The web server's limits: what a caller may send, how slowly, and how much of it at once.</summary>
internal static class KestrelSetup
{
    /// <summary>A request of a call that is no stream: one message, which has a limit of its own, and its framing.</summary>
    private const long ControlBytes = ProtocolLimits.MessageBytes + (16 * 1024);

    /// <summary>Slowest upload or download, in bytes a second.</summary>
    private const double SlowestRate = 16 * 1024;

    private static readonly string WorkPath = $"/{Federation.Descriptor.FullName}/Work";

    private static readonly string UploadPath = $"/{Federation.Descriptor.FullName}/Upload";

    /// <summary>Applies the limits and listens.</summary>
    public static void Apply(KestrelServerOptions kestrel, CoordinatorOptions options, WireMeter meter)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxRequestBodySize = ControlBytes;
        limits.MinRequestBodyDataRate = new(SlowestRate, TimeSpan.FromSeconds(10));
        limits.MinResponseDataRate = new(SlowestRate, TimeSpan.FromSeconds(10));
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(10);
        limits.MaxRequestHeadersTotalSize = 16 * 1024;
        limits.MaxRequestHeaderCount = 64;
        // Four connections a site and a tenth more, for those who watch and probe.
        int sites = options.Runs.SelectMany(run => run.Definition.Sites).Distinct(StringComparer.Ordinal).Count();
        limits.MaxConcurrentConnections = Math.Max(64, sites * 44 / 10);
        limits.Http2.MaxStreamsPerConnection = 16;
        limits.Http2.MaxRequestHeaderFieldSize = 8 * 1024;
        // Windows of a few chunks: an upload must not wait for a round trip at every one of them.
        limits.Http2.InitialStreamWindowSize = 2 * 1024 * 1024;
        limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);

        foreach (ListenAddress address in options.Listen)
            kestrel.Listen(address.EndPoint, listen => Listen(listen, address, options, meter));
    }

    /// <summary>Per call: a stream may be as long as its own limits say, and the task stream may be silent.</summary>
    public static Task LiftLimits(HttpContext http, RequestDelegate next)
    {
        bool work = http.Request.Path == WorkPath;
        if (work || http.Request.Path == UploadPath)
            http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        if (work)
            http.Features.GetRequiredFeature<IHttpMinRequestBodyDataRateFeature>().MinDataRate = null;
        return next(http);
    }

    private static void Listen(ListenOptions listen, ListenAddress address, CoordinatorOptions options, WireMeter meter)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.Use(meter.Measure);
        if (address.Tls)
        {
            listen.UseHttps(options.Certificate!, https =>
            {
                https.SslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13;
                https.HandshakeTimeout = TimeSpan.FromSeconds(10);
            });
        }
    }
}
