using System.Globalization;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Client.Training.Tasks;
using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>Checks a plan before anything is done for it: the coordinator may be mistaken, of another version, or hostile.</summary>
public static class PlanCheck
{
    private const int HighestRank = 4096;
    private const int MostSteps = 1_000_000;
    private const int LargestBatch = 65_536;
    private const int LongestExample = 1_048_576;
    private const long MostTokensInBatch = 4_194_304;
    private const int MostNames = 1000;
    private const long LargestBlob = 1L << 40;

    /// <summary>Throws with every fault at once.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.Malformed"/>.</exception>
    public static void Validate(RoundPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Faults faults = new();
        faults.Demand(Names.IsValid(plan.Run), $"run: a name of {Names.Rule} was expected");
        faults.Range("round", plan.Round, 1, int.MaxValue);
        faults.Range("attempt", plan.Attempt, 1, int.MaxValue);
        faults.Demand(plan.Method is { Length: > 0 and <= ProtocolLimits.TextLength }, "method: a name was expected");
        faults.Number("norm_cap", plan.NormCap, n => n >= 0, "0 or more");
        CheckModel(plan.Model, faults);
        CheckBlob("global adapter", plan.Global, faults);
        CheckAdapter(plan.Adapter, faults);
        CheckTraining(plan.Training, faults);
        faults.Throw();
    }

    /// <summary>True for a plain file name: nothing that could leave the folder it is put in.</summary>
    public static bool IsPlainFileName(string? name) =>
        name is { Length: > 0 and <= 255 } && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private static void CheckAdapter(AdapterPlan? adapter, Faults faults)
    {
        if (adapter is null)
        {
            faults.Demand(false, "adapter is missing");
            return;
        }

        faults.Range("adapter.rank", adapter.Rank, 1, HighestRank);
        faults.Number("adapter.alpha", adapter.Alpha, n => n > 0, "a positive number");
        faults.Number("adapter.dropout", adapter.Dropout, n => n is >= 0 and < 1, "0 or more, below 1");
        faults.NamesIn("adapter.target_modules", adapter.TargetModules, least: 1, MostNames);
        faults.NamesIn("adapter.modules_to_save", adapter.ModulesToSave, least: 0, MostNames);
    }

    private static void CheckTraining(TrainingPlan? training, Faults faults)
    {
        if (training is null)
        {
            faults.Demand(false, "training is missing");
            return;
        }

        faults.Demand(training.Objective is { } objective && TrainingTasks.Names.Contains(objective, StringComparer.Ordinal), $"training.objective: one of {string.Join(", ", TrainingTasks.Names)} was expected");
        bool classifies = training.Objective is KnownObjectives.Classification or KnownObjectives.ImageClassification;
        faults.NamesIn("training.labels", training.Labels, least: classifies ? 2 : 0, classifies ? MostNames : 0);
        faults.Range("training.steps", training.Steps, 1, MostSteps);
        faults.Range("training.step_offset", training.StepOffset, 0, int.MaxValue - MostSteps);
        faults.Range("training.total_steps", training.TotalSteps, (long)training.StepOffset + training.Steps, int.MaxValue);
        faults.Range("training.warmup_steps", training.WarmupSteps, 0, Math.Max(0, training.TotalSteps));
        faults.Demand(LearningRateSchedules.Names.Contains(training.Schedule), $"training.schedule: one of {string.Join(", ", LearningRateSchedules.Names)} was expected");
        faults.Number("training.learning_rate", training.LearningRate, n => n > 0, "a positive number");
        faults.Range("training.batch_size", training.BatchSize, 1, LargestBatch);
        faults.Range("training.max_tokens", training.MaxTokens, 2, LongestExample);
        faults.Range("training.batch_size times max_tokens", (long)training.BatchSize * training.MaxTokens, 2, MostTokensInBatch);
        faults.Number("training.weight_decay", training.WeightDecay, n => n >= 0, "0 or more");
        faults.Number("training.clip_norm", training.ClipNorm, n => n >= 0, "0 or more");
        faults.Number("training.holdout_share", training.HoldoutShare, n => n is >= 0 and <= 0.5, "0 to 0.5");
    }

    private static void CheckModel(IReadOnlyList<ModelFile>? model, Faults faults)
    {
        if (model is not { Count: > 0 and <= ProtocolLimits.ModelFiles })
        {
            faults.Demand(false, $"model has {model?.Count ?? 0} files; 1 to {ProtocolLimits.ModelFiles} were expected");
            return;
        }

        faults.Demand(model.All(file => IsPlainFileName(file?.Name)), "a model file has no plain file name");
        faults.Demand(model.Select(file => file?.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count() == model.Count, "two model files have the same name");
        foreach (ModelFile file in model)
            CheckBlob("model file", file?.Content, faults);
    }

    private static void CheckBlob(string what, BlobReference? blob, Faults faults) => faults.Demand(
        blob?.Sha256 is { Length: ContentHash.Size } && blob.Length is > 0 and <= LargestBlob,
        $"{what}: a SHA-256 of {ContentHash.Size} bytes and a length of 1 to {LargestBlob} were expected");

    /// <summary>Collects what is wrong; foreign texts are never quoted.</summary>
    private sealed class Faults
    {
        private const int Listed = 20;

        private readonly List<string> _found = [];

        public void Demand(bool fine, string fault)
        {
            if (!fine && !_found.Contains(fault))
                _found.Add(fault);
        }

        public void Range(string name, long value, long least, long most) =>
            Demand(value >= least && value <= most, $"{name} is {value}; {least} to {most} was expected");

        public void Number(string name, double value, Func<double, bool> fine, string wanted) =>
            Demand(double.IsFinite(value) && fine(value), string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; {wanted} was expected"));

        public void NamesIn(string name, IReadOnlyList<string>? names, int least, int most) => Demand(
            names is not null && names.Count >= least && names.Count <= most && names.Distinct(StringComparer.Ordinal).Count() == names.Count
                && names.All(text => text is { Length: > 0 and <= ProtocolLimits.TextLength } && !text.Any(char.IsControl)),
            $"{name}: {least} to {most} different names were expected");

        public void Throw()
        {
            if (_found.Count > 0)
                throw new FederatedException(RejectReason.Malformed, $"The plan cannot be followed: {string.Join("; ", _found.Take(Listed))}.");
        }
    }
}
