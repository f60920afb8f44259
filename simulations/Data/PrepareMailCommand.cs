using System.CommandLine;
using System.Security.Cryptography;
using Spectre.Console;

namespace Federated.Simulations.Data;

/// <summary><c>simulations prepare-mail</c>: makes the corpus file from the unpacked SpamAssassin corpus.</summary>
public static class PrepareMailCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<DirectoryInfo> source = new("--source") { Description = "Folder with easy-ham-1, easy-ham-2, hard-ham-1, spam-1 and spam-2.", Required = true };
        Option<FileInfo> output = new("--output") { Description = "Corpus file to write (Brotli-compressed JSON lines).", Required = true };
        Command command = new("prepare-mail", "Clean, anonymise, de-duplicate and split the SpamAssassin corpus into one compact file.") { source, output };
        command.SetAction(arguments => Run(arguments.GetRequiredValue(source), arguments.GetRequiredValue(output), AnsiConsole.Console));
        return command;
    }

    private static int Run(DirectoryInfo source, FileInfo output, IAnsiConsole console)
    {
        try
        {
            MailPreparationResult result = MailPreparation.Prepare(source.FullName);
            byte[] bytes = MailCorpus.Encode(result.Records);
            output.Directory?.Create();
            File.WriteAllBytes(output.FullName, bytes);
            console.Write(Table(result));
            console.WriteLine(
                $"read {result.Read}, blank {result.Blank}, foreign {result.Foreign}, copies {result.Copies}, kept {result.Records.Count} in {result.Groups} groups of near-duplicates");
            console.WriteLine($"{output.Name}: {bytes.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(bytes))}");
            return 0;
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            console.WriteLine($"prepare-mail: {error.Message}");
            return 1;
        }
    }

    private static Table Table(MailPreparationResult result)
    {
        Table table = new Table().AddColumn("folder");
        foreach (string split in MailSplits.All)
            table.AddColumn(split, column => column.RightAligned());

        foreach (string folder in MailFolders.All)
            table.AddRow([folder, .. MailSplits.All.Select(split => $"{result.Records.Count(mail => mail.Folder == folder && mail.Split == split)}")]);

        return table.AddRow(["all", .. MailSplits.All.Select(split => $"{result.Records.Count(mail => mail.Split == split)}")]);
    }
}
