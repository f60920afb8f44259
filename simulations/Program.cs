using System.CommandLine;
using Federated.Simulations.Data;
using Federated.Simulations.Partitioners;
using Federated.Simulations.Pretraining;
using Federated.Simulations.Runs;

RootCommand root = new("Federated fine-tuning on one machine: real processes, real data.")
{
    RunCommand.Create(),
    PretrainCommand.Create(),
    PartitionCommand.Create(),
    PrepareMailCommand.Create(),
    PrepareSotuCommand.Create(),
};

// Ctrl-C and SIGTERM cancel the command's token; it then stops the processes it started.
return await root.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(60) });
