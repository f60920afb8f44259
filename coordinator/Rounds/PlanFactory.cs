using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>Makes the plan of a round: a function of the run's description, the model and the global adapter.</summary>
internal static class PlanFactory
{
    /// <summary>The plan of one attempt at a round.</summary>
    public static RoundPlan Create(RunDefinition run, IReadOnlyList<ModelFile> model, BlobReference global, int round, int attempt) => new()
    {
        Run = run.Run,
        Round = round,
        Attempt = attempt,
        Method = run.Method,
        Model = model,
        Global = global,
        Adapter = run.Adapter,
        Training = run.Training with
        {
            StepOffset = (round - 1) * run.Training.Steps,
            TotalSteps = run.Rounds * run.Training.Steps,
        },
        Seed = run.Seed,
        NormCap = run.NormCap,
    };
}
