using System.Diagnostics;
using System.Text.Json;
using Federated.Compat.Grpc.Tests.Probe;

namespace Federated.Compat.Grpc.Tests.Python;

/// <summary>All scenarios of client.py, run once against a server of ours.</summary>
public abstract class PythonClientRun<TServer> : IAsyncLifetime
    where TServer : ProbeServer, new()
{
    private readonly TServer _server = new();

    /// <summary>Scenario to null, or to what went wrong.</summary>
    public IReadOnlyDictionary<string, string?> Outcomes { get; private set; } = new Dictionary<string, string?>();

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        using Process client = PythonPeer.Start("client.py");
        Task<string> output = client.StandardOutput.ReadToEndAsync();
        Task<string> errors = client.StandardError.ReadToEndAsync();
        try
        {
            await client.StandardInput.WriteAsync(Input());
            client.StandardInput.Close();
        }
        catch (IOException)
        {
            // The script ended before it read anything; its own words say why.
            throw PythonPeer.Failure("client.py", await errors);
        }

        await client.WaitForExitAsync();
        if (client.ExitCode != 0)
            throw PythonPeer.Failure("client.py", await errors);
        Outcomes = JsonSerializer.Deserialize<Dictionary<string, string?>>(await output)!;
    }

    public Task DisposeAsync() => _server.DisposeAsync();

    private string Input() => JsonSerializer.Serialize(new
    {
        descriptor = PythonPeer.Descriptor,
        plain = _server.Plain.Authority,
        tls = _server.Tls.Authority,
        mutualTls = _server.MutualTls.Authority,
        authority = _server.Certificates.Authority.ExportCertificatePem(),
        certificate = _server.Certificates.Client.ExportCertificatePem(),
        key = _server.Certificates.ClientKeyPem,
    });
}

public sealed class PlainRun : PythonClientRun<ProbeServer>;

public sealed class GzipRun : PythonClientRun<GzipServer>;

/// <summary>What python grpcio found when it called a server of ours.</summary>
public abstract class PythonClientContract(IReadOnlyDictionary<string, string?> outcomes)
{
    private static readonly string[] Known =
    [
        "unary_echoes", "metadata_comes_back", "headers_come_first", "status_and_trailers_arrive", "crash_is_unknown",
        "download_arrives_in_order", "download_error_after_three", "download_cancelled_midway", "upload_is_summed",
        "upload_refused_midway", "chat_answers_one_by_one", "cancel_reaches_the_server", "deadline_passes", "deadline_is_seen",
        "request_gzip", "request_deflate", "reply_over_the_clients_limit", "request_over_the_servers_limit", "unknown_method",
        "many_at_once", "tls", "mutual_tls", "mutual_tls_without_certificate",
    ];

    public static TheoryData<string> Scenarios => new(Known);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Scenario_OfThePythonClient_Holds(string scenario) => Assert.True(outcomes[scenario] is null, outcomes[scenario]);

    [Fact]
    public void Scenarios_OfTheScript_AreAllLookedAt() => Assert.Equal(outcomes.Keys.Order(), Known.Order());
}

public sealed class PythonClientOfPlainServer(PlainRun run) : PythonClientContract(run.Outcomes), IClassFixture<PlainRun>;

public sealed class PythonClientOfGzipServer(GzipRun run) : PythonClientContract(run.Outcomes), IClassFixture<GzipRun>;
