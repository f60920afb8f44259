using System.CommandLine;
using Federated.Client.Commands;

RootCommand root = new(
    """
    Federated client: fine-tunes a language model on data that never leaves this machine.

    Examples:
      client agent --coordinator https://coordinator.example.org:7443 --token-file site.token --data mail.jsonl
      client train --model models/base --data mail.jsonl --labels ham,spam --steps 200 --out adapter
      client evaluate --model models/base --adapter adapter --data test.jsonl --json
    """)
{
    AgentCommand.Create(),
    TrainCommand.Create(),
    EvaluateCommand.Create(),
};

// SIGTERM and Ctrl-C cancel the command's token; it then has this long to close streams and leave its folder tidy.
InvocationConfiguration configuration = new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) };
return await root.Parse(args).InvokeAsync(configuration);
