using System.CommandLine;
using Federated.Coordinator.Commands;

RootCommand root = new("""
    Coordinates federated fine-tuning: sites train on data that never leaves them, this program combines what they learned.

    Examples:
      coordinator token --site clinic-a --tokens sites.tokens --out clinic-a.token
      coordinator check --run mail.yaml
      coordinator serve --run mail.yaml --state state --tokens sites.tokens
      coordinator serve --run mail.yaml --state state --tokens sites.tokens --listen https://0.0.0.0:7443 --certificate tls.crt --key tls.key

    Exit codes: 0 ok, 1 a run failed or wrong arguments, 64 state of a newer version, 65 damaged state,
    74 the disk did not confirm a write, 75 another coordinator has the state folder, 78 unusable configuration.
    """)
{
    ServeCommand.Create(),
    CheckCommand.Create(),
    TokenCommand.Create(),
};
// The host handles SIGTERM and Ctrl-C: it needs longer than the two seconds that the parser would give it.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
