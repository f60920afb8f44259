using Federated.Shared.Protocol;
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
        List<string> faults = Faults(scenario);
        return faults.Count == 0
            ? scenario
            : throw new InvalidDataException($"{path}: {faults.Count} fault(s):{Environment.NewLine}  {string.Join(Environment.NewLine + "  ", faults)}");
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

    private static List<string> Faults(Scenario scenario)
    {
        List<string> faults = [];
        if (!File.Exists(Path.Combine(scenario.Model, "config.json")))
            faults.Add($"model: {scenario.Model} has no config.json; a folder in Hugging Face layout was expected.");
        if (!File.Exists(scenario.Data.Corpus))
            faults.Add($"data.corpus: {scenario.Data.Corpus} does not exist; make it with eng/prepare-mail.sh.");
        if (scenario.Data is { Mailboxes: not null, Dirichlet: not null })
            faults.Add("data: mailboxes and dirichlet are both given; one of them was expected.");
        if (scenario.Data.Mailboxes is { } table && !File.Exists(table))
            faults.Add($"data.mailboxes: {table} does not exist.");
        if (scenario.Labels.Length < 2)
            faults.Add($"labels: {scenario.Labels.Length} given; two or more were expected.");

        Range("rounds", scenario.Rounds, 1, 100_000);
        Range("threads", scenario.Threads, 1, 1024);
        Range("adapter.rank", scenario.Adapter.Rank, 1, 4096);
        Range("training.steps", scenario.Training.Steps, 1, 1_000_000);
        Range("training.batch_size", scenario.Training.BatchSize, 1, 65_536);
        Range("training.max_tokens", scenario.Training.MaxTokens, 2, 1_048_576);
        if (scenario.Methods.Count == 0)
            faults.Add("methods: none given; for example 'lora_fair: {name: lora-fair}' was expected.");
        foreach (string name in scenario.Methods.Keys.Where(name => !Names.IsValid(name)))
            faults.Add($"methods.{name}: {Names.Rule} was expected.");
        return faults;

        void Range(string path, int value, int least, int most)
        {
            if (value < least || value > most)
                faults.Add($"{path} is {value}; {least} to {most} was expected.");
        }
    }
}
