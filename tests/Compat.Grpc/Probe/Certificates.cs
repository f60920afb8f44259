using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>An authority made for one test run, in memory, and what it signs.</summary>
public sealed class Certificates : IDisposable
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddDays(-1);
    private static readonly DateTimeOffset Until = DateTimeOffset.UtcNow.AddDays(1);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public Certificates()
    {
        CertificateRequest request = new("CN=Federated test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        Authority = request.CreateSelfSigned(From, Until);
        Server = Issue("CN=server", san =>
        {
            san.AddIpAddress(IPAddress.Loopback);
            san.AddDnsName("localhost");
        });
        Client = Issue("CN=ward-7", san: null);
        NamedClient = Issue("CN=ward-8", san => san.AddDnsName("ward-8.hospital.example"));
    }

    public X509Certificate2 Authority { get; }

    public X509Certificate2 Server { get; }

    /// <summary>A client known by its common name only.</summary>
    public X509Certificate2 Client { get; }

    /// <summary>The private key of <see cref="Client"/>, PKCS #8.</summary>
    public string ClientKeyPem
    {
        get
        {
            using ECDsa key = Client.GetECDsaPrivateKey()!;
            return key.ExportPkcs8PrivateKeyPem();
        }
    }

    /// <summary>A client with a DNS name besides.</summary>
    public X509Certificate2 NamedClient { get; }

    /// <summary>Whether a certificate leads to this authority.</summary>
    public bool Trusts(X509Certificate2 certificate)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    public void Dispose()
    {
        NamedClient.Dispose();
        Client.Dispose();
        Server.Dispose();
        Authority.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Issue(string subject, Action<SubjectAlternativeNameBuilder>? san)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        if (san is not null)
        {
            SubjectAlternativeNameBuilder names = new();
            san(names);
            request.CertificateExtensions.Add(names.Build());
        }

        byte[] serial = RandomNumberGenerator.GetBytes(8);
        using X509Certificate2 signed = request.Create(Authority, From, Until, serial);
        return signed.CopyWithPrivateKey(key);
    }
}
