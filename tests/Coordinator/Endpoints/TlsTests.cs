using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Coordinator.Tests.Endpoints;

public sealed class TlsTests : IDisposable
{
    private readonly TestWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task Serve_WithACertificate_SpeaksTlsAndCountsTheBytesOfTheSocket()
    {
        (string certificate, string key) = MakeCertificate();
        using CoordinatorProcess coordinator = CoordinatorProcess.Serve(_world, null, "--listen", "https://127.0.0.1:0", "--certificate", certificate, "--key", key);
        await coordinator.AddressAsync(_world);
        Uri address = new((await File.ReadAllLinesAsync(Path.Combine(_world.Folder, "endpoint"))).Single(line => line.StartsWith("https", StringComparison.Ordinal)));

        using X509Certificate2 trusted = X509CertificateLoader.LoadCertificateFromFile(certificate);
        using SocketsHttpHandler handler = new() { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString() == trusted.GetCertHashString();
        using GrpcChannel channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler });
        Metadata headers = new() { { "authorization", "Bearer " + _world.Tokens["alpha"] } };
        JoinReply reply = await PatientlyAsync(async () => await new Federation.FederationClient(channel).JoinAsync(new() { ProtocolVersion = 1, TrainingExamples = 5 }, headers));
        Assert.Equal("alpha", reply.Site);

        // Another machine would need a token; this one is loopback, TLS or not.
        using var watch = new Operations.OperationsClient(channel).Watch(new());
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Theory]
    [InlineData("http://0.0.0.0:1", "plain text is for loopback only")]
    [InlineData("http://192.168.1.5:1", "plain text is for loopback only")]
    [InlineData("https://example.org:1", "is no IP address")]
    [InlineData("ftp://127.0.0.1:1", "an address was expected")]
    [InlineData("http://127.0.0.1:1/path", "an address was expected")]
    [InlineData("7443", "an address was expected")]
    public void Parse_AddressThatCannotBeUsed_SaysTheWayOut(string text, string expected)
    {
        List<string> errors = [];
        Assert.Null(ListenAddress.Parse(text, errors));
        Assert.Contains(expected, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost:0", "127.0.0.1:0", false)]
    [InlineData("http://[::1]:5", "[::1]:5", false)]
    [InlineData("https://0.0.0.0:7443", "0.0.0.0:7443", true)]
    public void Parse_Address_GivesItsParts(string text, string endPoint, bool tls)
    {
        ListenAddress? address = ListenAddress.Parse(text, []);
        Assert.Equal((IPEndPoint.Parse(endPoint), tls), (address!.EndPoint, address.Tls));
    }

    /// <summary>On a machine that is busy with other tests a handshake may run into its limit; an agent would try again too.</summary>
    private static async Task<T> PatientlyAsync<T>(Func<Task<T>> call)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && attempt < 10)
            {
                // The next try is a new connection.
            }
        }
    }

    private (string Certificate, string Key) MakeCertificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=coordinator", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(1));
        return (_world.Write("tls.crt", certificate.ExportCertificatePem()), _world.Write("tls.key", key.ExportPkcs8PrivateKeyPem()));
    }
}
