using Federated.Client.Training;

namespace Federated.Client.Commands;

/// <summary>What <c>client train</c> is to do.</summary>
internal sealed record TrainSettings
{
    public required TaskSettings Task { get; init; }
    public required AdapterSettings Adapter { get; init; }
    public required string Output { get; init; }
    public required int BatchSize { get; init; }
    public required double HoldoutShare { get; init; }
    public required double ClipNorm { get; init; }
    public required int CheckpointEvery { get; init; }
    public required TrainingOptions Training { get; init; }

    /// <summary>The peak learning rate where none is given.</summary>
    public static double UsualRate(bool full) => full ? 5e-5 : 2e-3;

    /// <summary>Everything that is wrong; empty when training can start.</summary>
    public IReadOnlyList<string> Validate()
    {
        OptionFaults faults = new();
        Task.Validate(faults);
        Adapter.Validate(faults);
        faults.Demand(BatchSize >= 1, "--batch-size", BatchSize, "1 or more");
        faults.Demand(Training.BatchesPerStep >= 1, "--accumulate", Training.BatchesPerStep, "1 or more");
        faults.Demand(HoldoutShare is >= 0 and <= 0.5, "--holdout-share", HoldoutShare, "0 to 0.5");
        faults.Demand(Training.Steps >= 1, "--steps", Training.Steps, "1 or more");
        faults.Demand(double.IsFinite(Training.LearningRate) && Training.LearningRate > 0, "--learning-rate", Training.LearningRate, "a positive number");
        faults.Demand(Training.WarmupSteps >= 0 && Training.WarmupSteps <= Training.Steps, "--warmup-steps", Training.WarmupSteps, "0 to the number of steps");
        faults.Demand(LearningRateSchedules.Names.Contains(Training.Schedule), "--schedule", Training.Schedule, string.Join(" or ", LearningRateSchedules.Names));
        faults.Demand(double.IsFinite(Training.WeightDecay) && Training.WeightDecay >= 0, "--weight-decay", Training.WeightDecay, "0 or more");
        faults.Demand(double.IsFinite(ClipNorm) && ClipNorm >= 0, "--clip-norm", ClipNorm, "0 or more");
        faults.Demand(CheckpointEvery >= 0, "--checkpoint-every", CheckpointEvery, "0 or more");
        return faults.Found;
    }

    /// <summary>All that decides the result, by the option's name: what an interrupted run must have in common with the one that goes on.</summary>
    public IEnumerable<(string Option, string Value)> Identity()
    {
        yield return ("--model", Path.GetFullPath(Task.Model));
        yield return ("--objective", Task.Objective ?? "");
        yield return ("--labels", string.Join(',', Task.Labels ?? []));
        yield return ("--text-column", Task.TextColumn ?? "");
        yield return ("--pair-column", Task.PairColumn ?? "");
        yield return ("--label-column", Task.LabelColumn);
        yield return ("--max-tokens", FormattableString.Invariant($"{Task.MaxTokens}"));
        yield return ("--full", $"{Adapter.Full}");
        yield return ("--init", Adapter.Initial ?? "");
        yield return ("--adapter-config", Adapter.ConfigFile ?? "");
        yield return ("--rank", FormattableString.Invariant($"{Adapter.Rank}"));
        yield return ("--alpha", FormattableString.Invariant($"{Adapter.Alpha}"));
        yield return ("--dropout", FormattableString.Invariant($"{Adapter.Dropout}"));
        yield return ("--target-modules", string.Join(',', Adapter.Targets));
        yield return ("--modules-to-save", string.Join(',', Adapter.ModulesToSave ?? []));
        yield return ("--rslora", $"{Adapter.RsLora}");
        yield return ("--dora", $"{Adapter.Dora}");
        yield return ("--lora-init", Adapter.Start);
        yield return ("--batch-size", FormattableString.Invariant($"{BatchSize}"));
        yield return ("--holdout-share", FormattableString.Invariant($"{HoldoutShare}"));
        yield return ("--steps", FormattableString.Invariant($"{Training.Steps}"));
        yield return ("--accumulate", FormattableString.Invariant($"{Training.BatchesPerStep}"));
        yield return ("--learning-rate", FormattableString.Invariant($"{Training.LearningRate}"));
        yield return ("--warmup-steps", FormattableString.Invariant($"{Training.WarmupSteps}"));
        yield return ("--schedule", Training.Schedule);
        yield return ("--weight-decay", FormattableString.Invariant($"{Training.WeightDecay}"));
        yield return ("--clip-norm", FormattableString.Invariant($"{ClipNorm}"));
        yield return ("--seed", FormattableString.Invariant($"{Training.Seed}"));
    }
}
