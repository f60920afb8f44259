using System.CommandLine;
using System.Security.Cryptography;

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
        command.SetAction(arguments =>
        {
            try
            {
                Run(arguments.GetRequiredValue(source), arguments.GetRequiredValue(output), arguments.InvocationConfiguration.Output);
                return 0;
            }
            catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                arguments.InvocationConfiguration.Error.WriteLine($"prepare-mail: {error.Message}");
                return 1;
            }
        });
        return command;
    }

    private static void Run(DirectoryInfo source, FileInfo output, TextWriter writer)
    {
        MailPreparationResult result = MailPreparation.Prepare(source.FullName, MailQuotas.Default);
        byte[] bytes = MailCorpus.Encode(result.Records);
        output.Directory?.Create();
        File.WriteAllBytes(output.FullName, bytes);
        CountTable.Write(writer, ["folder", .. MailSplits.All], [.. MailFolders.All.Append("all").Select(folder => Row(result, folder))]);
        writer.WriteLine(
            $"read {result.Read}, blank {result.Blank}, foreign {result.Foreign}, copies {result.Copies}, kept {result.Records.Count} in {result.Groups} groups of near-duplicates");
        writer.WriteLine($"{output.Name}: {bytes.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(bytes))}");
    }

    private static string[] Row(MailPreparationResult result, string folder) =>
    [
        folder,
        .. MailSplits.All.Select(split => $"{result.Records.Count(mail => mail.Split == split && (folder == "all" || mail.Folder == folder))}"),
    ];
}
