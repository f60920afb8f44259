using System.CommandLine;
using Federated.Simulations.Data;
using Federated.Simulations.Partitioners;

RootCommand root = new("Federated fine-tuning on one machine: real processes, real data.");
root.Subcommands.Add(PrepareMailCommand.Create());
root.Subcommands.Add(PrepareSotuCommand.Create());
root.Subcommands.Add(PartitionCommand.Create());
return await root.Parse(args).InvokeAsync();
