using System.Globalization;
using System.Text;

namespace Federated.Simulations.Scenarios;

/// <summary>Writes the coordinator's run description for one method of a scenario.</summary>
public static class RunFile
{
    /// <summary>Writes <c>NAME.yaml</c> into <paramref name="folder"/> and returns its path.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="name">Run and file name, a key of the scenario's methods.</param>
    /// <param name="after">Run that must finish first; null for none.</param>
    /// <param name="sites">Sites of the run.</param>
    /// <param name="folder">Where to write.</param>
    public static string Write(Scenario scenario, string name, string? after, IReadOnlyList<string> sites, string folder)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        (MethodSettings method, AdapterSettings adapter, TrainingSettings training) = (scenario.Methods[name], scenario.Adapter, scenario.Training);
        StringBuilder yaml = new();
        Line($"run: {name}");
        if (after is not null)
            Line($"after: {after}");
        Line($"method:");
        Line($"  name: {method.Name}");
        if (method.Lambda is { } lambda)
            Line($"  lambda: {lambda}");
        Line($"model: {Quoted(scenario.Model)}");
        Line($"sites: [{string.Join(", ", sites)}]");
        Line($"cohort: {sites.Count}");
        Line($"quorum: {sites.Count}");
        Line($"deadline: 60m");
        Line($"rounds: {scenario.Rounds}");
        Line($"seed: {scenario.Seed}");
        Line($"adapter:");
        Line($"  rank: {adapter.Rank}");
        Line($"  alpha: {adapter.Alpha}");
        Line($"  dropout: {adapter.Dropout}");
        Line($"  target_modules: [{string.Join(", ", adapter.TargetModules.Select(Quoted))}]");
        Line($"  modules_to_save: [{string.Join(", ", adapter.ModulesToSave.Select(Quoted))}]");
        Line($"training:");
        Line($"  objective: sequence-classification");
        Line($"  labels: [{string.Join(", ", scenario.Labels.Select(Quoted))}]");
        Line($"  steps: {training.Steps}");
        Line($"  batch_size: {training.BatchSize}");
        Line($"  max_tokens: {training.MaxTokens}");
        Line($"  learning_rate: {training.LearningRate}");
        Line($"  warmup_steps: {training.WarmupSteps}");
        Line($"  schedule: {training.Schedule}");
        Line($"  weight_decay: {training.WeightDecay}");
        Line($"  clip_norm: {training.ClipNorm}");
        Line($"  holdout_share: {training.HoldoutShare}");

        string path = Path.Combine(folder, name + ".yaml");
        File.WriteAllText(path, yaml.ToString());
        return path;

        void Line(FormattableString text) => yaml.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
