using System.CommandLine;

namespace Federated.Client.Commands;

/// <summary><c>client</c>: the program, with its commands.</summary>
public static class ClientCommand
{
    /// <summary>Runs a command line to its end.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        RootCommand root = new(
            """
            Federated client: fine-tunes a language model on data that never leaves this machine.

            Examples:
              client agent --coordinator https://coordinator.example.org:7443 --token-file site.token --data mail.jsonl
              client train --model models/base --data mail.jsonl --labels ham,spam --steps 200 --out adapter
              client evaluate --model models/base --adapter adapter --data test.jsonl --labels ham,spam --json
              client generate --model models/base --adapter adapter --prompt "Dear colleague," --temperature 0.8
              client merge --model models/base --adapter adapter --out models/merged
              client inspect models/base
            """)
        {
            AgentCommand.Create(),
            TrainCommand.Create(),
            EvaluateCommand.Create(),
            GenerateCommand.Create(),
            MergeCommand.Create(),
            InspectCommand.Create(),
        };

        // SIGTERM and Ctrl-C cancel the command's token; it then has this long to close streams and leave its folder tidy.
        InvocationConfiguration configuration = new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) };
        ParseResult parsed = root.Parse(arguments);
        int code = await parsed.InvokeAsync(configuration);
        return parsed.Errors.Count > 0 ? ExitCodes.Usage : code;
    }
}
