using Federated.Client.Commands;

return await ClientCommand.RunAsync(args);
