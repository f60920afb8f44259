using Federated.Coordinator.Aggregation;
using Federated.Coordinator.Rounds;

namespace Federated.Coordinator.RunFiles;

/// <summary>From YAML to a run: keys, types and defaults. What the values may be is <see cref="RunValidator"/>'s business.</summary>
internal static class RunFileReader
{
    /// <summary>Reads a run.</summary>
    /// <param name="map">The file.</param>
    /// <param name="folder">Folder that the model's path is relative to.</param>
    /// <param name="rules">Aggregation rules by name.</param>
    /// <param name="errors">Receives one sentence for each thing that is wrong.</param>
    /// <returns>The run; usable only when no error was added.</returns>
    public static RunFile? Read(YamlMap map, string folder, AggregationRules rules, List<string> errors)
    {
        YamlSection file = new("", map, errors);
        YamlSection method = file.Section("method");
        YamlSection adapter = file.Section("adapter");
        YamlSection training = file.Section("training");

        string methodName = method.Text("name");
        IReadOnlyDictionary<string, string> options = method.Rest();
        string model = file.Text("model");
        string after = file.Text("after", "");
        IReadOnlyList<string> sites = file.Texts("sites", required: true);
        int cohort = file.Count("cohort", sites.Count);
        long seed = file.Whole("seed", 0);
        if (seed < 0)
            errors.Add($"{file.Place("seed")} is {seed}; 0 or more was expected.");

        RunDefinition definition = new()
        {
            Run = file.Text("run"),
            After = after.Length == 0 ? null : after,
            Method = methodName,
            MethodOptions = [.. options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => new NamedText { Name = o.Key, Value = o.Value })],
            Sites = [.. sites.Order(StringComparer.Ordinal)],
            Cohort = cohort,
            Quorum = file.Count("quorum", cohort),
            DeadlineMilliseconds = (long)file.Duration("deadline", TimeSpan.FromMinutes(10)).TotalMilliseconds,
            Rounds = file.Count("rounds"),
            Attempts = file.Count("attempts", 3),
            Seed = (ulong)Math.Max(0, seed),
            NormCap = file.Number("norm_cap", 0),
            Adapter = Adapter(adapter),
            Training = Training(training),
        };

        file.RefuseUnknown();
        adapter.RefuseUnknown();
        training.RefuseUnknown();
        string modelFolder = Path.GetFullPath(Path.Combine(folder, model));
        RunValidator.Check(definition, modelFolder, new(file, adapter, training), errors);
        IAggregationRule? rule = methodName.Length == 0 ? null : rules.Create("method", methodName, options, errors);
        return rule is null ? null : new(definition, modelFolder, rule);
    }

    private static Shared.Protocol.AdapterPlan Adapter(YamlSection section) => new()
    {
        Rank = section.Count("rank"),
        Alpha = section.Number("alpha"),
        Dropout = section.Number("dropout", 0),
        TargetModules = section.Texts("target_modules", required: true),
        ModulesToSave = section.Texts("modules_to_save", required: false),
    };

    private static Shared.Protocol.TrainingPlan Training(YamlSection section) => new()
    {
        Objective = section.Text("objective"),
        Labels = section.Texts("labels", required: false),
        Steps = section.Count("steps"),
        StepOffset = 0,
        TotalSteps = 0,
        WarmupSteps = section.Count("warmup_steps", 0),
        Schedule = section.Text("schedule", "cosine"),
        LearningRate = section.Number("learning_rate"),
        BatchSize = section.Count("batch_size"),
        MaxTokens = section.Count("max_tokens"),
        WeightDecay = section.Number("weight_decay", 0),
        ClipNorm = section.Number("clip_norm", 1),
        HoldoutShare = section.Number("holdout_share", 0.1),
    };
}
