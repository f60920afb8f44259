using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Protocol;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Agent;

/// <summary>The connection to the coordinator: one channel, every call with the site's token.</summary>
public sealed class CoordinatorChannel : IDisposable
{
    private const int LongestToken = 512;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly GrpcChannel _channel;
    private readonly string _tokenFile;
    private volatile string _authorization;

    private CoordinatorChannel(GrpcChannel channel, string tokenFile)
    {
        (_channel, _tokenFile, _authorization) = (channel, tokenFile, "Bearer " + ReadToken(tokenFile));
        Client = new Federation.FederationClient(channel.Intercept(headers =>
        {
            headers.Add("authorization", _authorization);
            return headers;
        }));
    }

    /// <summary>The coordinator's service.</summary>
    public Federation.FederationClient Client { get; }

    /// <summary>Prepares the channel; connects at the first call.</summary>
    /// <exception cref="InvalidDataException">The token file holds no token.</exception>
    public static CoordinatorChannel Open(AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
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
        try
        {
            return new(channel, options.TokenFile);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>Reads the token again, in case it was replaced. While the file is being written the old one serves.</summary>
    public void RenewToken(ILogger log)
    {
        try
        {
            _authorization = "Bearer " + ReadToken(_tokenFile);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            log.LogWarning("{Error} The token read before is used.", e.Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    /// <summary>The token in a file.</summary>
    /// <exception cref="InvalidDataException">It holds none.</exception>
    internal static string ReadToken(string path)
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

    /// <summary>The authorities in a PEM file.</summary>
    /// <exception cref="CryptographicException">It is no PEM file, or has no certificate.</exception>
    internal static X509Certificate2Collection ReadAuthorities(string path)
    {
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPemFile(path);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("it holds no certificate");
    }

    /// <summary>Accepts the server only by the given authority; the system's roots do not count. The host name is still checked.</summary>
    private static RemoteCertificateValidationCallback TrustOnly(string authorityFile)
    {
        X509Certificate2Collection authorities = ReadAuthorities(authorityFile);
        return (_, certificate, sent, errors) =>
        {
            if (certificate is not X509Certificate2 server || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
                return false;

            using X509Chain chain = new();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
            // Intermediates that the server showed may lead to the authority; trusted they are not.
            if (sent is not null)
                chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
            return chain.Build(server);
        };
    }
}
