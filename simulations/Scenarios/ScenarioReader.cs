using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Federated.Simulations.Scenarios;

/// <summary>Reads a scenario and checks it, all faults at once.</summary>
public static class ScenarioReader
{
    private const long LargestFile = 1024 * 1024;

    /// <summary>Reads <paramref name="path"/>; relative paths inside it start at its folder.</summary>
    /// <exception cref="InvalidDataException">The file is no scenario; the message lists every fault with its path and value.</exception>
    public static Scenario Read(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
            throw new InvalidDataException($"{path}: no such scenario. Scenarios that come with the project are in simulations/scenarios.");
        if (file.Length > LargestFile)
            throw new InvalidDataException($"{path}: {file.Length} bytes; a scenario has at most {LargestFile}.");

        Scenario scenario = Parse(path);
        Refuse(path, ScenarioFaults.Missing(scenario));
        string folder = file.DirectoryName!;
        scenario = scenario with
        {
            Model = Path.GetFullPath(scenario.Model, folder),
            Data = scenario.Data with
            {
                Corpus = Path.GetFullPath(scenario.Data.Corpus, folder),
                Mailboxes = scenario.Data.Mailboxes is { } table ? Path.GetFullPath(table, folder) : null,
            },
        };
        Refuse(path, ScenarioFaults.Of(scenario));
        return scenario;
    }

    private static void Refuse(string path, List<string> faults)
    {
        if (faults.Count > 0)
            throw new InvalidDataException($"{path}: {faults.Count} fault(s):{Environment.NewLine}  {string.Join(Environment.NewLine + "  ", faults)}");
    }

    private static Scenario Parse(string path)
    {
        IDeserializer yaml = new DeserializerBuilder()
            .WithNamingConvention(UnderscoredNamingConvention.Instance)
            .WithDuplicateKeyChecking()
            .WithEnforceRequiredMembers()
            .Build();
        try
        {
            using StreamReader reader = File.OpenText(path);
            return yaml.Deserialize<Scenario?>(reader) ?? throw new InvalidDataException($"{path}: the file is empty.");
        }
        catch (YamlException e)
        {
            string why = e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message;
            throw new InvalidDataException($"{path}:{e.Start.Line}:{e.Start.Column}: {why}", e);
        }
    }
}
