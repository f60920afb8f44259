using System.CommandLine;

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
        command.SetAction(arguments =>
        {
            try
            {
                Run(arguments.GetRequiredValue(source), arguments.GetRequiredValue(output), arguments.InvocationConfiguration.Output);
                return 0;
            }
            catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                arguments.InvocationConfiguration.Error.WriteLine($"prepare-sotu: {error.Message}");
                return 1;
            }
        });
        return command;
    }

    private static void Run(DirectoryInfo source, DirectoryInfo output, TextWriter writer)
    {
        IReadOnlyList<SotuAddress> addresses = SotuCorpus.Read(source.FullName);
        SotuCorpus.Write(addresses, output.FullName);
        SotuAddress[] heldOut = [.. addresses.Where(address => address.HeldOut)];
        writer.WriteLine(
            $"{addresses.Count} addresses, {addresses.Sum(address => (long)address.Text.Length)} chars; " +
            $"held out {heldOut.Length} with {heldOut.Sum(address => (long)address.Text.Length)} chars");
    }
}
