using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>TLS, client certificates and call credentials.</summary>
public sealed class SecurityTests(ProbeServer server) : IClassFixture<ProbeServer>
{
    private static CallCredentials Bearer(string token) => CallCredentials.FromInterceptor((_, metadata) =>
    {
        metadata.Add("Authorization", $"Bearer {token}");
        return Task.CompletedTask;
    });

    [Fact]
    public async Task Tls_TrustedServer_IsCalled()
    {
        Answer answer = await Client(server.Tls).UnaryAsync(new Ask { Text = "secret" });
        Assert.Equal("secret", answer.Text);
        Assert.False(answer.Authenticated);
    }

    [Fact]
    public async Task Tls_UntrustedServer_IsRefused()
    {
        SocketsHttpHandler machineRoots = new() { UseProxy = false };
        Transport.TransportClient client = new(server.Channel(server.Tls, handler: machineRoots));
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new Ask()));
        Assert.Equal(StatusCode.Internal, error.StatusCode);
        Assert.IsType<AuthenticationException>(error.Status.DebugException!.InnerException);
    }

    [Fact]
    public async Task MutualTls_CommonName_IsTheIdentity()
    {
        Answer answer = await Client(server.MutualTls, server.Certificates.Client).UnaryAsync(new Ask());
        Assert.True(answer.Authenticated);
        Assert.Equal(["x509_common_name=ward-7"], answer.Identity);
    }

    [Fact]
    public async Task MutualTls_DnsName_IsTheIdentity()
    {
        Answer answer = await Client(server.MutualTls, server.Certificates.NamedClient).UnaryAsync(new Ask());
        Assert.Equal(["x509_subject_alternative_name=ward-8.hospital.example"], answer.Identity);
    }

    [Fact]
    public async Task MutualTls_NoCertificate_IsRefused()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await Client(server.MutualTls).UnaryAsync(new Ask()));
        Assert.Contains(error.StatusCode, new[] { StatusCode.Unavailable, StatusCode.Internal });
    }

    [Fact]
    public async Task MutualTls_ForeignCertificate_IsRefused()
    {
        using Certificates other = new();
        RpcException error = await Assert.ThrowsAsync<RpcException>(
            async () => await Client(server.MutualTls, other.Client).UnaryAsync(new Ask()));
        Assert.Contains(error.StatusCode, new[] { StatusCode.Unavailable, StatusCode.Internal });
    }

    [Fact]
    public async Task CallCredentials_OfTheCall_AreSentOverTls()
    {
        Answer answer = await Client(server.Tls).UnaryAsync(new Ask(), new CallOptions(credentials: Bearer("abc")));
        Assert.Equal("Bearer abc", answer.Authorization);
    }

    [Fact]
    public async Task CallCredentials_OfTheChannel_AreSentOverTls()
    {
        Transport.TransportClient client = new(server.Channel(
            server.Tls, options => options.Credentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, Bearer("channel"))));
        Assert.Equal("Bearer channel", (await client.UnaryAsync(new Ask())).Authorization);
    }

    [Fact]
    public async Task CallCredentials_Composed_AreAllSent()
    {
        CallCredentials second = CallCredentials.FromInterceptor((call, metadata) =>
        {
            metadata.Add("echo-service", call.ServiceUrl);
            metadata.Add("echo-method", call.MethodName);
            return Task.CompletedTask;
        });

        using AsyncUnaryCall<Answer> call = Client(server.Tls).UnaryAsync(
            new Ask(), new CallOptions(credentials: CallCredentials.Compose(Bearer("abc"), second)));

        Assert.Equal("Bearer abc", (await call).Authorization);
        Assert.Equal("Unary", call.GetTrailers().GetValue("echo-method"));
        Assert.EndsWith("/federated.tests.v1.Transport", call.GetTrailers().GetValue("echo-service"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallCredentials_OverPlainText_AreKeptBackUnlessAllowed()
    {
        CallOptions bearer = new(credentials: Bearer("abc"));
        Transport.TransportClient allowed = new(server.Channel(
            server.Plain, options => options.UnsafeUseInsecureChannelCallCredentials = true));

        Assert.Equal("", (await server.Client.UnaryAsync(new Ask(), bearer)).Authorization);
        Assert.Equal("Bearer abc", (await allowed.UnaryAsync(new Ask(), bearer)).Authorization);
    }

    [Fact]
    public void CallCredentials_ComposedWithInsecure_AreRefusedByTheChannel() =>
        Assert.Throws<InvalidOperationException>(() => server.Channel(
            server.Plain, options => options.Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, Bearer("abc"))));

    [Fact]
    public void SslCredentials_WithCertificates_AreRefusedByTheChannel() =>
        Assert.Throws<InvalidOperationException>(() => server.Channel(
            server.Tls, options => options.Credentials = new SslCredentials("root")));

    private Transport.TransportClient Client(Uri door, X509Certificate2? certificate = null)
    {
        GrpcChannel channel = server.Channel(door, handler: server.Handler(certificate));
        return new Transport.TransportClient(channel);
    }
}
