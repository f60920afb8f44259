using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Client.Agent;
using Grpc.Core;

namespace Federated.Client.Tests.Agent;

public sealed class TrustTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    public TrustTests() => _authority = Authority(_key);

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Run_CertificateOfTheGivenAuthority_Joins()
    {
        using X509Certificate2 certificate = Issue("localhost", "1.3.6.1.5.5.7.3.1");
        await using FakeCoordinator coordinator = await FakeCoordinator.StartAsync(certificate);
        using CancellationTokenSource stop = new();
        Task running = RunAsync(coordinator, _authority, new(), stop.Token);
        await coordinator.Streams.Reader.NextAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Run_CertificateOfAnotherAuthority_StopsAtOnce()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 other = Authority(key);
        await StopsAtOnceAsync("localhost", "1.3.6.1.5.5.7.3.1", other);
    }

    [Fact]
    public async Task Run_CertificateForAnotherHost_StopsAtOnce() => await StopsAtOnceAsync("coordinator.example.org", "1.3.6.1.5.5.7.3.1", _authority);

    [Fact]
    public async Task Run_CertificateOfAnAgent_StopsAtOnce() => await StopsAtOnceAsync("localhost", "1.3.6.1.5.5.7.3.2", _authority);

    [Fact]
    public async Task Run_NoAuthorityGiven_TheSystemsRootsDecide() => await StopsAtOnceAsync("localhost", "1.3.6.1.5.5.7.3.1", null);

    private async Task StopsAtOnceAsync(string host, string usage, X509Certificate2? trusted)
    {
        using X509Certificate2 certificate = Issue(host, usage);
        await using FakeCoordinator coordinator = await FakeCoordinator.StartAsync(certificate);
        DelayClock clock = new();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => RunAsync(coordinator, trusted, clock, default).WaitAsync(Patience.Limit));
        Assert.True(RetryPolicy.IsUntrusted(e), e.ToString());
        Assert.Contains("certificate was not accepted", FailureText.ForLog(e), StringComparison.Ordinal);
        Assert.Equal((0, 0), (coordinator.Joins, clock.Delays.Count));
    }

    private async Task RunAsync(FakeCoordinator coordinator, X509Certificate2? trusted, DelayClock clock, CancellationToken stop)
    {
        AgentOptions options = new()
        {
            Coordinator = new($"https://localhost:{coordinator.Address.Port}"),
            TokenFile = _folder.Write("token", "token-1"),
            Data = "unused",
            State = Path.Combine(_folder.Path, "state"),
            CertificateAuthority = trusted is null ? null : _folder.Write("ca.pem", trusted.ExportCertificatePem()),
        };
        await new AgentLoop(options, new FakeRound(), clock, new CapturedLog()).RunAsync(stop);
    }

    private static X509Certificate2 Authority(ECDsa key)
    {
        CertificateRequest request = new("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private X509Certificate2 Issue(string host, string usage)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=server", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        using X509Certificate2 signed = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddHours(12), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
