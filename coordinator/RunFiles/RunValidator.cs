using System.Globalization;
using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.RunFiles;

/// <summary>Where the keys of a run stand in its file.</summary>
internal readonly record struct RunSections(YamlSection File, YamlSection Adapter, YamlSection Training);

/// <summary>What the values of a run may be. Every breach is named with path, line, value and the way out.</summary>
internal static class RunValidator
{
    private const int MostSites = 10_000;

    private const int MostRounds = 100_000;

    private static readonly string[] Objectives = ["sequence-classification", "image-classification", "causal-lm", "instruction"];

    private static readonly string[] Schedules = ["cosine", "linear", "constant"];

    /// <summary>Checks <paramref name="run"/>.</summary>
    public static void Check(RunDefinition run, string modelFolder, RunSections at, List<string> errors)
    {
        // A key that is missing or of the wrong type has been named already; its stand-in value would only repeat that.
        int before = errors.Count;
        CheckNames(run, at, errors);
        CheckModel(modelFolder, at, errors);
        if (before > 0)
            return;

        CheckRounds(run, at, errors);
        CheckAdapter(run.Adapter, at.Adapter, errors);
        CheckTraining(run.Training, at.Training, errors);
    }

    private static void CheckNames(RunDefinition run, RunSections at, List<string> errors)
    {
        if (run.Run.Length > 0 && !Names.IsValid(run.Run))
            errors.Add($"{at.File.Place("run")} is '{run.Run}'; a name was expected: {Names.Rule}.");
        if (run.After is not null && !Names.IsValid(run.After))
            errors.Add($"{at.File.Place("after")} is '{run.After}'; the name of a run was expected: {Names.Rule}.");
        foreach (string site in run.Sites.Where(site => !Names.IsValid(site)))
            errors.Add($"{at.File.Place("sites")} holds '{site}'; a name was expected: {Names.Rule}.");
        foreach (IGrouping<string, string> twice in run.Sites.GroupBy(site => site, StringComparer.Ordinal).Where(group => group.Count() > 1))
            errors.Add($"{at.File.Place("sites")} holds '{twice.Key}' {twice.Count()} times; name each site once.");
    }

    private static void CheckModel(string folder, RunSections at, List<string> errors)
    {
        if (!File.Exists(Path.Combine(folder, "config.json")))
            errors.Add($"{at.File.Place("model")}: there is no config.json in {folder}; give a folder in Hugging Face layout, relative to this file.");
    }

    private static void CheckRounds(RunDefinition run, RunSections at, List<string> errors)
    {
        Range(at.File, "sites", run.Sites.Count, 1, MostSites, "sites are listed", errors);
        Range(at.File, "cohort", run.Cohort, 1, run.Sites.Count, "sites are drawn for a round; at most all that are listed", errors);
        Range(at.File, "quorum", run.Quorum, 1, run.Cohort, "updates are needed; at most the cohort, or no round could ever finish", errors);
        Range(at.File, "rounds", run.Rounds, 1, MostRounds, "rounds make a run", errors);
        Range(at.File, "attempts", run.Attempts, 1, 1000, "attempts are made at a round", errors);
        Range(at.File, "deadline", run.Deadline.TotalSeconds, 1, TimeSpan.FromDays(30).TotalSeconds, "seconds a round may take", errors);
        Range(at.File, "norm_cap", run.NormCap, 0, double.MaxValue, "is the cap; 0 for none", errors);
    }

    private static void CheckAdapter(AdapterPlan adapter, YamlSection at, List<string> errors)
    {
        Range(at, "rank", adapter.Rank, 1, 4096, "is the rank of the factors", errors);
        if (!(adapter.Alpha > 0))
            errors.Add(Text(at, "alpha", adapter.Alpha, "more than 0 was expected; the rank, or twice the rank, is usual"));
        if (adapter.Dropout is < 0 or >= 1)
            errors.Add(Text(at, "dropout", adapter.Dropout, "0 or more and less than 1 was expected"));
        if (adapter.TargetModules.Count == 0)
            errors.Add($"{at.Place("target_modules")} is empty; name the linear layers to adapt, for example [q_proj, v_proj].");
        Words(at, "target_modules", adapter.TargetModules, errors);
        Words(at, "modules_to_save", adapter.ModulesToSave, errors);
    }

    private static void CheckTraining(TrainingPlan training, YamlSection at, List<string> errors)
    {
        Choice(at, "objective", training.Objective, Objectives, errors);
        Choice(at, "schedule", training.Schedule, Schedules, errors);
        bool classifies = training.Objective is "sequence-classification" or "image-classification";
        if (classifies && training.Labels.Count < 2)
            errors.Add($"{at.Place("labels")} has {training.Labels.Count} entries; '{training.Objective}' needs 2 or more, in the order of the head's outputs.");
        if (!classifies && training.Labels.Count > 0)
            errors.Add($"{at.Place("labels")} has {training.Labels.Count} entries; '{training.Objective}' has none. Leave it out.");
        Words(at, "labels", training.Labels, errors);
        Range(at, "steps", training.Steps, 1, 10_000_000, "optimiser steps make a round", errors);
        Range(at, "batch_size", training.BatchSize, 1, 65_536, "examples make a batch", errors);
        Range(at, "max_tokens", training.MaxTokens, 2, 1 << 20, "tokens an example is cut to", errors);
        Range(at, "warmup_steps", training.WarmupSteps, 0, 10_000_000, "steps of warm-up", errors);
        Range(at, "weight_decay", training.WeightDecay, 0, 1, "is the weight decay", errors);
        Range(at, "clip_norm", training.ClipNorm, 0, 1e9, "is the norm that gradients are clipped to; 0 for no clipping", errors);
        Range(at, "holdout_share", training.HoldoutShare, 0, 0.5, "is the share of local data held out", errors);
        if (!(training.LearningRate > 0 && training.LearningRate <= 10))
            errors.Add(Text(at, "learning_rate", training.LearningRate, "more than 0 and at most 10 was expected; 1e-4 to 1e-2 is usual for adapters"));
    }

    private static void Range(YamlSection at, string key, double value, double minimum, double maximum, string meaning, List<string> errors)
    {
        if (!(value >= minimum && value <= maximum))
            errors.Add(Text(at, key, value, string.Create(CultureInfo.InvariantCulture, $"{minimum} to {maximum} {meaning}")));
    }

    private static void Choice(YamlSection at, string key, string value, string[] choices, List<string> errors)
    {
        if (!choices.Contains(value, StringComparer.Ordinal))
            errors.Add($"{at.Place(key)} is '{value}'; one of {string.Join(", ", choices)} was expected.");
    }

    private static void Words(YamlSection at, string key, IReadOnlyList<string> words, List<string> errors)
    {
        foreach (string word in words.Where(word => word.Length is 0 or > 256))
            errors.Add($"{at.Place(key)} holds an entry of {word.Length} characters; 1 to 256 are allowed.");
        foreach (IGrouping<string, string> twice in words.GroupBy(word => word, StringComparer.Ordinal).Where(group => group.Count() > 1))
            errors.Add($"{at.Place(key)} holds '{twice.Key}' {twice.Count()} times; name each once.");
    }

    private static string Text(YamlSection at, string key, double value, string expected) =>
        string.Create(CultureInfo.InvariantCulture, $"{at.Place(key)} is {value}; {expected}.");
}
