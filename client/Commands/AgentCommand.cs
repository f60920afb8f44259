using System.CommandLine;
using System.CommandLine.Parsing;
using Federated.Client.Agent;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Commands;

/// <summary><c>client agent</c>: takes part in runs until stopped.</summary>
public static class AgentCommand
{
    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        Option<Uri> coordinator = new("--coordinator")
        {
            Description = "Address of the coordinator: https, or http on this machine.",
            Required = true,
            CustomParser = ParseAddress,
        };
        Option<string> token = new("--token-file") { Description = "File with this site's token, as 'coordinator token' wrote it.", Required = true };
        Option<string> data = new("--data") { Description = "Private data: JSONL or CSV with 'text' and, for classification, 'label'; or plain text, .txt; or a folder of images by class, or an IDX file of images. Never leaves this machine.", Required = true };
        Option<string> state = new("--state") { Description = "Folder for downloads and unsent updates.", DefaultValueFactory = _ => "federated-agent" };
        Option<string[]> runs = new("--run") { Description = "Take part in this run only; may be repeated. Default: every run that lists the site." };
        Option<string?> authority = new("--ca") { Description = "PEM file of the authority that signed the coordinator's certificate." };
        Option<int> threads = new("--threads") { Description = "Threads for training.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<double> cache = new("--cache-gib") { Description = "GiB of downloaded models to keep; what a round needs stays in any case.", DefaultValueFactory = _ => 20 };
        Option<bool> exit = new("--exit-when-finished") { Description = "Stop when all runs have finished." };

        Command command = new("agent",
            """
            Joins a coordinator and trains when it is asked to, until stopped with SIGTERM or Ctrl-C.

            Example:
              client agent --coordinator https://coordinator.example.org:7443 --ca ca.pem --token-file site.token --data mail.jsonl
            """)
        {
            coordinator, token, data, state, runs, authority, threads, cache, exit,
        };
        command.SetAction((parsed, cancellation) => CommandErrors.GuardAsync(() => RunAsync(
            new AgentOptions
            {
                Coordinator = parsed.GetRequiredValue(coordinator),
                TokenFile = parsed.GetRequiredValue(token),
                Data = parsed.GetRequiredValue(data),
                State = parsed.GetRequiredValue(state),
                Runs = parsed.GetValue(runs) ?? [],
                CertificateAuthority = parsed.GetValue(authority),
                Threads = parsed.GetValue(threads),
                CacheBytes = Bytes(parsed.GetValue(cache)),
                ExitWhenFinished = parsed.GetValue(exit),
            },
            cancellation)));
        return command;
    }

    /// <summary>Any text that is an address of some kind; whether it is one of a coordinator is checked with the other options, all at once.</summary>
    private static Uri? ParseAddress(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.RelativeOrAbsolute, out Uri? address))
            return address;

        result.AddError($"--coordinator is '{result.Tokens[0].Value}'; an address such as https://coordinator.example.org:7443 was expected.");
        return null;
    }

    private static async Task<int> RunAsync(AgentOptions options, CancellationToken cancellation)
    {
        if (CommandErrors.Report(options.Validate()) is var code and not ExitCodes.Ok)
            return code;

        using ILoggerFactory logging = LoggerFactory.Create(builder => builder.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        }));
        ILogger<AgentLoop> log = logging.CreateLogger<AgentLoop>();
        using LocalRound local = new(options.Data, options.Threads);
        log.LogInformation("{Examples} examples; they stay on this machine", local.Examples);
        try
        {
            await new AgentLoop(options, local, TimeProvider.System, log).RunAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            log.LogInformation("stopped");
        }

        return ExitCodes.Ok;
    }

    /// <summary>Whole bytes; what is no amount becomes -1, which the options' check refuses.</summary>
    private static long Bytes(double gibibytes) => gibibytes is >= 0 and <= 1 << 20 ? (long)(gibibytes * (1L << 30)) : -1;
}
