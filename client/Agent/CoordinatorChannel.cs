using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Protocol;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Federated.Client.Agent;

/// <summary>The connection to the coordinator: one channel, every call with the site's token.</summary>
public sealed class CoordinatorChannel : IDisposable
{
    private const int LongestToken = 512;

    private readonly GrpcChannel _channel;

    private CoordinatorChannel(GrpcChannel channel, CallInvoker invoker)
    {
        _channel = channel;
        Client = new Federation.FederationClient(invoker);
    }

    /// <summary>The coordinator's service.</summary>
    public Federation.FederationClient Client { get; }

    /// <summary>Prepares the channel; connects at the first call.</summary>
    /// <exception cref="InvalidDataException">The token file holds no token.</exception>
    public static CoordinatorChannel Open(AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string authorization = "Bearer " + ReadToken(options.TokenFile);
        SocketsHttpHandler handler = new()
        {
            EnableMultipleHttp2Connections = true,
            // A proxy from the environment must not see loopback traffic; for a real coordinator it is the site's own choice.
            UseProxy = !options.Coordinator.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            // The task stream is quiet for minutes: pings find a peer that is gone, and keep middle boxes from forgetting us.
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            InitialHttp2StreamWindowSize = 2 * 1024 * 1024,
        };
        if (options.CertificateAuthority is { } authority)
            handler.SslOptions.RemoteCertificateValidationCallback = TrustOnly(authority);

        GrpcChannel channel = GrpcChannel.ForAddress(options.Coordinator, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = ProtocolLimits.MessageBytes,
            MaxSendMessageSize = ProtocolLimits.MessageBytes,
            CompressionProviders = [],
        });
        CallInvoker invoker = channel.Intercept(headers =>
        {
            headers.Add("authorization", authorization);
            return headers;
        });
        return new(channel, invoker);
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private static string ReadToken(string path)
    {
        using FileStream file = File.OpenRead(path);
        if (file.Length > LongestToken)
            throw new InvalidDataException($"{path}: {file.Length} bytes is too long for a token (at most {LongestToken}). Give the file that 'coordinator token' wrote.");

        using StreamReader reader = new(file);
        string token = reader.ReadToEnd().Trim();
        if (token.Length == 0 || token.Any(c => c is < '!' or > '~'))
            throw new InvalidDataException($"{path}: holds no token (one line of visible ASCII). Give the file that 'coordinator token' wrote.");

        return token;
    }

    /// <summary>Accepts the server only by the given authority; the system's roots do not count. The host name is still checked.</summary>
    private static RemoteCertificateValidationCallback TrustOnly(string authorityFile)
    {
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPemFile(authorityFile);
        return (_, certificate, _, errors) =>
        {
            if (certificate is not X509Certificate2 server || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
                return false;

            using X509Chain chain = new();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            return chain.Build(server);
        };
    }
}
