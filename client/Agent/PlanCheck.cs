using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>Checks a plan before anything is done for it: the coordinator may be mistaken, of another version, or hostile.</summary>
public static class PlanCheck
{
    private const int HighestRank = 4096;
    private const int MostSteps = 1_000_000;
    private const int LargestBatch = 65_536;
    private const int LongestExample = 1_048_576;

    /// <summary>Throws with every fault at once.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.Malformed"/>.</exception>
    public static void Validate(RoundPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        List<string> faults = [];
        if (!Names.IsValid(plan.Run))
            faults.Add($"run name: {Names.Rule} was expected");
        Range("round", plan.Round, 1, int.MaxValue);
        Range("attempt", plan.Attempt, 1, int.MaxValue);
        CheckModel(plan.Model, faults);
        CheckBlob("global adapter", plan.Global, faults);

        Range("adapter.rank", plan.Adapter?.Rank ?? 0, 1, HighestRank);
        if (plan.Adapter?.TargetModules is null || plan.Adapter.ModulesToSave is null)
            faults.Add("adapter: target_modules or modules_to_save is missing");
        Range("training.steps", plan.Training?.Steps ?? 0, 1, MostSteps);
        Range("training.batch_size", plan.Training?.BatchSize ?? 0, 1, LargestBatch);
        Range("training.max_tokens", plan.Training?.MaxTokens ?? 0, 2, LongestExample);
        if (plan.Training is not { LearningRate: > 0 and < double.PositiveInfinity })
            faults.Add($"training.learning_rate is {plan.Training?.LearningRate}; a positive number was expected");

        if (faults.Count > 0)
            throw new FederatedException(RejectReason.Malformed, $"The plan cannot be followed: {string.Join("; ", faults)}.");

        void Range(string name, long value, long least, long most)
        {
            if (value < least || value > most)
                faults.Add($"{name} is {value}; {least} to {most} was expected");
        }
    }

    /// <summary>True for a plain file name: nothing that could leave the folder it is put in.</summary>
    public static bool IsPlainFileName(string? name) =>
        name is { Length: > 0 and <= 255 } && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private static void CheckModel(IReadOnlyList<ModelFile>? model, List<string> faults)
    {
        if (model is not { Count: > 0 and <= ProtocolLimits.ModelFiles })
        {
            faults.Add($"model has {model?.Count ?? 0} files; 1 to {ProtocolLimits.ModelFiles} were expected");
            return;
        }

        if (!model.All(file => IsPlainFileName(file?.Name)))
            faults.Add("a model file has no plain file name");
        if (model.Select(file => file?.Name).Distinct(StringComparer.Ordinal).Count() != model.Count)
            faults.Add("two model files have the same name");
        foreach (ModelFile file in model)
            CheckBlob("model file", file?.Content, faults);
    }

    private static void CheckBlob(string what, BlobReference? blob, List<string> faults)
    {
        if (blob?.Sha256 is not { Length: ContentHash.Size } || blob.Length < 0)
            faults.Add($"{what}: a SHA-256 of {ContentHash.Size} bytes and a length were expected");
    }
}
