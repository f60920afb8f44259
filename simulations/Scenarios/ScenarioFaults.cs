using System.Globalization;
using Federated.Client.Training;
using Federated.Coordinator.Aggregation;
using Federated.Shared.Protocol;

namespace Federated.Simulations.Scenarios;

/// <summary>What can be wrong with a scenario, all of it at once: a fault found after minutes of training is found too late.</summary>
internal static class ScenarioFaults
{
    /// <summary>Keys of the summary beside the runs, which are its keys too.</summary>
    private static readonly string[] Taken =
        ["scenario", "seed", "test_examples", "mailboxes", "steps_per_site", "base", "local", "centralised", "adapter", "seconds", "data", "federated", "baselines", "evaluation"];

    /// <summary>Keys that are there without a value, which YAML reads as null.</summary>
    public static List<string> Missing(Scenario scenario)
    {
        List<string> faults = [];
        Value("name", scenario.Name);
        Value("model", scenario.Model);
        Value("data", scenario.Data);
        Value("data.corpus", scenario.Data is null ? "" : scenario.Data.Corpus);
        Value("labels", scenario.Labels);
        Value("methods", scenario.Methods);
        foreach ((string name, MethodSettings method) in scenario.Methods ?? [])
            Value($"methods.{name}", method?.Name);
        Value("adapter", scenario.Adapter);
        Value("adapter.target_modules", scenario.Adapter is null ? [] : scenario.Adapter.TargetModules);
        Value("adapter.modules_to_save", scenario.Adapter is null ? [] : scenario.Adapter.ModulesToSave);
        Value("training", scenario.Training);
        Value("training.schedule", scenario.Training is null ? "" : scenario.Training.Schedule);
        return faults;

        void Value(string path, object? value)
        {
            if (value is null)
                faults.Add($"{path} has no value.");
        }
    }

    /// <summary>Values out of range, unknown names, files that are not there.</summary>
    public static List<string> Of(Scenario scenario)
    {
        List<string> faults = [];
        Data(scenario, faults);
        Range("rounds", scenario.Rounds, 1, 100_000, faults);
        Range("evaluate_every", scenario.EvaluateEvery, 1, 100_000, faults);
        Range("threads", scenario.Threads, 1, 1024, faults);
        Words("labels", scenario.Labels, 2, faults);
        foreach (string label in scenario.Labels.Where(label => label?.Contains(',', StringComparison.Ordinal) == true))
            faults.Add($"labels holds '{label}'; a label without a comma was expected.");
        Methods(scenario, faults);
        Adapter(scenario.Adapter, faults);
        Training(scenario.Training, faults);
        return faults;
    }

    private static void Data(Scenario scenario, List<string> faults)
    {
        if (!File.Exists(Path.Combine(scenario.Model, "config.json")))
            faults.Add($"model: {scenario.Model} has no config.json; a folder in Hugging Face layout was expected.");
        if (!File.Exists(scenario.Data.Corpus))
            faults.Add($"data.corpus: {scenario.Data.Corpus} does not exist; make it with eng/prepare-mail.sh.");
        if (scenario.Data is { Mailboxes: not null, Dirichlet: not null })
            faults.Add("data: mailboxes and dirichlet are both given; one of them was expected.");
        if (scenario.Data.Mailboxes is { } table && !File.Exists(table))
            faults.Add($"data.mailboxes: {table} does not exist.");
        if (scenario.Data.Dirichlet is { } dirichlet)
        {
            Range("data.dirichlet.clients", dirichlet.Clients, 1, 100_000, faults);
            Range("data.dirichlet.alpha", dirichlet.Alpha, double.Epsilon, 1e6, faults);
        }
    }

    private static void Methods(Scenario scenario, List<string> faults)
    {
        if (scenario.Methods.Count == 0)
            faults.Add("methods: none given; for example 'lora_fair: {name: lora-fair}' was expected.");
        foreach ((string name, MethodSettings method) in scenario.Methods)
        {
            if (!Names.IsValid(name))
                faults.Add($"methods.{name}: {Names.Rule} was expected.");
            if (Taken.Contains(name.Replace('-', '_'), StringComparer.Ordinal))
                faults.Add($"methods.{name}: the summary has a key of this name already; give the run another one.");
            if (!AggregationRules.Default.Names.Contains(method.Name, StringComparer.Ordinal))
                faults.Add($"methods.{name}.name is '{method.Name}'; one of {string.Join(", ", AggregationRules.Default.Names)} was expected.");
            else
                _ = AggregationRules.Default.Create($"methods.{name}", method.Name, Options(method), faults);
        }

        foreach (IGrouping<string, string> twice in scenario.Methods.Keys.GroupBy(name => name.Replace('-', '_'), StringComparer.Ordinal).Where(group => group.Count() > 1))
            faults.Add($"methods: {string.Join(" and ", twice)} would be the same key of the summary; name them apart.");
    }

    private static Dictionary<string, string> Options(MethodSettings method) => method.Lambda is { } lambda
        ? new(StringComparer.Ordinal) { ["lambda"] = lambda.ToString(CultureInfo.InvariantCulture) }
        : [];

    private static void Adapter(AdapterSettings adapter, List<string> faults)
    {
        Range("adapter.rank", adapter.Rank, 1, 4096, faults);
        Range("adapter.alpha", adapter.Alpha, double.Epsilon, 1e6, faults);
        if (!(adapter.Dropout >= 0 && adapter.Dropout < 1))
            faults.Add(Text("adapter.dropout", adapter.Dropout, "0 or more and less than 1"));
        Words("adapter.target_modules", adapter.TargetModules, 1, faults);
        Words("adapter.modules_to_save", adapter.ModulesToSave, 0, faults);
    }

    private static void Training(TrainingSettings training, List<string> faults)
    {
        Range("training.steps", training.Steps, 1, 1_000_000, faults);
        Range("training.batch_size", training.BatchSize, 1, 65_536, faults);
        Range("training.max_tokens", training.MaxTokens, 2, 1_048_576, faults);
        Range("training.learning_rate", training.LearningRate, double.Epsilon, 10, faults);
        Range("training.warmup_steps", training.WarmupSteps, 0, 1_000_000, faults);
        Range("training.weight_decay", training.WeightDecay, 0, 1, faults);
        Range("training.clip_norm", training.ClipNorm, 0, 1e9, faults);
        Range("training.holdout_share", training.HoldoutShare, 0, 0.5, faults);
        if (!LearningRateSchedules.Names.Contains(training.Schedule, StringComparer.Ordinal))
            faults.Add($"training.schedule is '{training.Schedule}'; one of {string.Join(", ", LearningRateSchedules.Names)} was expected.");
    }

    private static void Words(string path, string[] words, int least, List<string> faults)
    {
        if (words.Length < least)
            faults.Add($"{path}: {words.Length} given; {least} or more were expected.");
        if (words.Any(string.IsNullOrEmpty))
            faults.Add($"{path} holds an empty entry.");
        foreach (IGrouping<string, string> twice in words.GroupBy(word => word, StringComparer.Ordinal).Where(group => group.Count() > 1))
            faults.Add($"{path} holds '{twice.Key}' {twice.Count()} times; name each once.");
    }

    // A number that is none (.nan) fails every comparison, so the range is asked, not its opposite.
    private static void Range(string path, double value, double least, double most, List<string> faults)
    {
        if (!(value >= least && value <= most))
            faults.Add(Text(path, value, least == double.Epsilon ? $"more than 0 and at most {most}" : string.Create(CultureInfo.InvariantCulture, $"{least} to {most}")));
    }

    private static string Text(string path, double value, string expected) =>
        string.Create(CultureInfo.InvariantCulture, $"{path} is {value}; {expected} was expected.");
}
