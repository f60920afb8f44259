using System.CommandLine;
using Spectre.Console;

namespace Federated.Simulations.Data;

/// <summary><c>simulations prepare-sotu</c>: makes training and held-out text from the unpacked State of the Union addresses.</summary>
public static class PrepareSotuCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<DirectoryInfo> source = new("--source") { Description = "Folder with one JSON file for each address.", Required = true };
        Option<DirectoryInfo> output = new("--out") { Description = "Folder for sotu.jsonl, sotu-train.txt and sotu-heldout.txt.", Required = true };
        Command command = new("prepare-sotu", "Turn the State of the Union addresses into training and held-out text.") { source, output };
        command.SetAction(arguments => Run(arguments.GetRequiredValue(source), arguments.GetRequiredValue(output), AnsiConsole.Console));
        return command;
    }

    private static int Run(DirectoryInfo source, DirectoryInfo output, IAnsiConsole console)
    {
        try
        {
            IReadOnlyList<SotuAddress> addresses = SotuCorpus.Read(source.FullName);
            SotuCorpus.Write(addresses, output.FullName);
            int heldOut = addresses.Count(address => address.HeldOut);
            long chars = addresses.Sum(address => (long)address.Text.Length);
            long heldOutChars = addresses.Where(address => address.HeldOut).Sum(address => (long)address.Text.Length);
            console.WriteLine($"{addresses.Count} addresses, {chars} chars; held out {heldOut} with {heldOutChars} chars");
            return 0;
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            console.WriteLine($"prepare-sotu: {error.Message}");
            return 1;
        }
    }
}
