using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Federated.Coordinator.Aggregation;
using Federated.Coordinator.Endpoints;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.RunFiles;
using Federated.Coordinator.Store;

namespace Federated.Coordinator.Commands;

/// <summary><c>coordinator serve</c></summary>
internal static class ServeCommand
{
    private static readonly Option<string[]> Runs = new("--run") { Description = "Description of a run (YAML); give it once for each run.", Required = true, AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string> State = new("--state") { Description = "Folder of the coordinator's state; made when missing. One coordinator at a time.", Required = true };
    private static readonly Option<string> Tokens = new("--tokens") { Description = "Tokens file, as 'coordinator token' writes it.", Required = true };
    private static readonly Option<string[]> Listen = new("--listen") { Description = "Address to listen on; port 0 lets the system choose. Plain http on loopback only.", DefaultValueFactory = _ => ["http://127.0.0.1:7443"] };
    private static readonly Option<string?> Certificate = new("--certificate") { Description = "The server's certificate with its chain (PEM), for https addresses." };
    private static readonly Option<string?> Key = new("--key") { Description = "Its private key (PEM)." };
    private static readonly Option<bool> ExitWhenFinished = new("--exit-when-finished") { Description = "Stop when every run has ended: 0 when all succeeded, else 1." };
    private static readonly Option<string?> EndpointFile = new("--endpoint-file") { Description = "File that receives the bound addresses, one a line, once calls are taken." };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command command = new("serve", "Serves runs: hands out tasks, takes updates, aggregates, survives being killed.")
        {
            Runs, State, Tokens, Listen, Certificate, Key, ExitWhenFinished, EndpointFile,
        };
        command.SetAction((parsed, cancellation) =>
            Failures.GuardAsync(parsed.InvocationConfiguration.Error, () => ServeAsync(parsed, cancellation)));
        return command;
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        CoordinatorOptions options = Options(parsed);
        CoordinatorSeams seams = new()
        {
            FailPoints = FailPoints.FromEnvironment(),
            // Standard output is for results; the log goes to the other stream.
            Logging = logging => logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            }).Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace),
        };
        Exception? error;
        bool succeeded;
        await using (CoordinatorHost host = await CoordinatorHost.StartAsync(options, seams, cancellation))
        {
            error = await host.WaitAsync();
            succeeded = host.AllSucceeded;
        }

        if (error is not null)
            return Failures.Code(error) ?? ExitCodes.Failed;
        return options.ExitWhenFinished && !succeeded ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static CoordinatorOptions Options(ParseResult parsed)
    {
        List<string> errors = [];
        ListenAddress[] listen = [.. parsed.GetValue(Listen)!.Select(text => ListenAddress.Parse(text, errors)).OfType<ListenAddress>()];
        X509Certificate2? certificate = ReadCertificate(parsed.GetValue(Certificate), parsed.GetValue(Key), errors);
        if (certificate is null && errors.Count == 0 && listen.Any(address => address.Tls))
            errors.Add("--listen has an https address, which needs --certificate and --key (PEM files).");

        IReadOnlyList<RunFile> runs = [];
        try
        {
            runs = RunFile.ReadAll(parsed.GetValue(Runs)!, AggregationRules.Default);
        }
        catch (RunFileException e)
        {
            errors.AddRange(e.Errors);
        }

        TokenFile? tokens = null;
        try
        {
            tokens = TokenFile.Read(parsed.GetValue(Tokens)!);
        }
        catch (InvalidDataException e)
        {
            errors.Add(e.Message);
        }

        if (errors.Count > 0 || tokens is null)
            throw new RunFileException(errors);
        return new()
        {
            Runs = runs,
            State = parsed.GetValue(State)!,
            Listen = listen,
            Tokens = tokens,
            Certificate = certificate,
            ExitWhenFinished = parsed.GetValue(ExitWhenFinished),
            EndpointFile = parsed.GetValue(EndpointFile),
        };
    }

    private static X509Certificate2? ReadCertificate(string? certificate, string? key, List<string> errors)
    {
        if (certificate is null && key is null)
            return null;
        if (certificate is null || key is null)
        {
            errors.Add("--certificate and --key belong together; give both.");
            return null;
        }

        try
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(certificate, key);
            // Windows' TLS cannot use a key that lives in memory only: once through PKCS#12 works everywhere.
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            errors.Add($"--certificate {certificate}, --key {key}: {e.Message} Give a PEM certificate and its unencrypted PEM key.");
            return null;
        }
    }
}
