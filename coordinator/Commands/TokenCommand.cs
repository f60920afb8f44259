using System.CommandLine;
using System.Text;
using Federated.Coordinator.Endpoints;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Commands;

/// <summary><c>coordinator token</c></summary>
internal static class TokenCommand
{
    private static readonly Option<string?> Site = new("--site") { Description = "Name of the site that the token speaks for." };
    private static readonly Option<string?> Operator = new("--operator") { Description = "Name of the operator that the token speaks for, instead of a site." };
    private static readonly Option<string> Tokens = new("--tokens") { Description = "Tokens file of the coordinator; receives the token's hash, made when missing.", Required = true };
    private static readonly Option<string?> Out = new("--out") { Description = "File that receives the token, readable by its owner only; without it the token is printed once." };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command command = new("token", "Makes a 256-bit token for a site. The coordinator keeps its hash only: what is printed is shown once.")
        {
            Site, Operator, Tokens, Out,
        };
        command.SetAction((parsed, _) => Failures.GuardAsync(parsed.InvocationConfiguration.Error, () => MakeAsync(parsed)));
        return command;
    }

    private static async Task<int> MakeAsync(ParseResult parsed)
    {
        Caller caller = (parsed.GetValue(Site), parsed.GetValue(Operator)) switch
        {
            ({ } site, null) => new(site, CallerRole.Site),
            (null, { } name) => new(name, CallerRole.Operator),
            _ => throw new FormatException("Give --site NAME or --operator NAME, one of them."),
        };
        if (!Names.IsValid(caller.Name))
            throw new FormatException($"'{caller.Name}' is no name; a name is {Names.Rule}.");

        if (parsed.GetValue(Out) is not { } path)
        {
            await parsed.InvocationConfiguration.Output.WriteLineAsync(TokenFile.Add(parsed.GetValue(Tokens)!, caller));
            return ExitCodes.Ok;
        }

        // The file first: a token that cannot be kept must not be added.
        await using FileStream file = new(path, TokenFile.NewFile(FileMode.CreateNew));
        await file.WriteAsync(Encoding.ASCII.GetBytes(TokenFile.Add(parsed.GetValue(Tokens)!, caller) + "\n"));
        return ExitCodes.Ok;
    }
}
