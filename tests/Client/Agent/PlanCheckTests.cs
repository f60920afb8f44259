using Federated.Client.Agent;
using Federated.Shared.Protocol;

namespace Federated.Client.Tests.Agent;

public sealed class PlanCheckTests
{
    private static readonly BlobReference Blob = new() { Sha256 = new byte[ContentHash.Size], Length = 5 };

    /// <summary>One entry a rule: what is wrong, and the word that the error must name.</summary>
    public static TheoryData<string, Func<RoundPlan, RoundPlan>> Broken()
    {
        TheoryData<string, Func<RoundPlan, RoundPlan>> cases = [];
        void Plan(string named, Func<RoundPlan, RoundPlan> change) => cases.Add(named, change);
        void Training(string named, Func<TrainingPlan, TrainingPlan> change) => cases.Add(named, plan => plan with { Training = change(plan.Training) });
        void Adapter(string named, Func<AdapterPlan, AdapterPlan> change) => cases.Add(named, plan => plan with { Adapter = change(plan.Adapter) });
        void Model(string named, params ModelFile[] files) => cases.Add(named, plan => plan with { Model = files });

        Plan("run", plan => plan with { Run = "../x" });
        Plan("run", plan => plan with { Run = null! });
        Plan("round", plan => plan with { Round = 0 });
        Plan("attempt", plan => plan with { Attempt = -1 });
        Plan("method", plan => plan with { Method = null! });
        Plan("norm_cap", plan => plan with { NormCap = double.NaN });
        Plan("norm_cap", plan => plan with { NormCap = -1 });
        Plan("global", plan => plan with { Global = null! });
        Plan("global", plan => plan with { Global = Blob with { Length = long.MaxValue } });
        Plan("global", plan => plan with { Global = Blob with { Length = -1 } });
        Plan("global", plan => plan with { Global = Blob with { Sha256 = new byte[31] } });
        Plan("adapter is missing", plan => plan with { Adapter = null! });
        Plan("training is missing", plan => plan with { Training = null! });
        Plan("model", plan => plan with { Model = null! });
        Model("model has 0 files");
        Model("model has 1001 files", [.. Enumerable.Range(0, 1001).Select(i => new ModelFile { Name = $"f{i}", Content = Blob })]);
        foreach (string? name in new[] { "../config.json", "/etc/passwd", "..", ".", ".hidden", "a/b", "a\\b", "", "a\0b", new string('a', 256), null })
            Model("plain file name", new ModelFile { Name = name!, Content = Blob });
        Model("same name", new() { Name = "a", Content = Blob }, new() { Name = "A", Content = Blob });
        Model("model file", new ModelFile { Name = "a", Content = null! });
        Model("plain file name", null!, new() { Name = "a", Content = Blob });
        Adapter("adapter.rank", adapter => adapter with { Rank = 0 });
        Adapter("adapter.rank", adapter => adapter with { Rank = int.MaxValue });
        Adapter("adapter.alpha", adapter => adapter with { Alpha = double.PositiveInfinity });
        Adapter("adapter.alpha", adapter => adapter with { Alpha = 0 });
        Adapter("adapter.dropout", adapter => adapter with { Dropout = 1 });
        Adapter("adapter.dropout", adapter => adapter with { Dropout = double.NaN });
        Adapter("adapter.target_modules", adapter => adapter with { TargetModules = [] });
        Adapter("adapter.target_modules", adapter => adapter with { TargetModules = [null!] });
        Adapter("adapter.modules_to_save", adapter => adapter with { ModulesToSave = null! });
        Adapter("adapter.modules_to_save", adapter => adapter with { ModulesToSave = ["a\nb"] });
        Training("training.objective", training => training with { Objective = "regression" });
        Training("training.objective", training => training with { Objective = null! });
        Training("training.labels", training => training with { Objective = "causal-lm" });
        Training("training.labels", training => training with { Objective = "causal-lm", Labels = null! });
        Training("training.labels", training => training with { Labels = ["ham"] });
        Training("training.labels", training => training with { Labels = ["ham", "ham"] });
        Training("training.labels", training => training with { Labels = null! });
        Training("training.steps", training => training with { Steps = 0 });
        Training("training.steps", training => training with { Steps = int.MaxValue });
        Training("training.step_offset", training => training with { StepOffset = -1 });
        Training("training.total_steps", training => training with { StepOffset = 5, TotalSteps = 5 });
        Training("training.warmup_steps", training => training with { WarmupSteps = 7 });
        Training("training.schedule", training => training with { Schedule = "sawtooth" });
        Training("training.schedule", training => training with { Schedule = null! });
        Training("training.learning_rate", training => training with { LearningRate = double.NaN });
        Training("training.learning_rate", training => training with { LearningRate = 0 });
        Training("training.batch_size", training => training with { BatchSize = 0 });
        Training("training.max_tokens", training => training with { MaxTokens = 1 });
        Training("training.batch_size times max_tokens", training => training with { BatchSize = 65_536, MaxTokens = 1_048_576 });
        Training("training.weight_decay", training => training with { WeightDecay = -0.1 });
        Training("training.clip_norm", training => training with { ClipNorm = double.NaN });
        Training("training.holdout_share", training => training with { HoldoutShare = 0.51 });
        Training("training.holdout_share", training => training with { HoldoutShare = double.NaN });
        return cases;
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void Validate_OneRuleBroken_NamesIt(string named, Func<RoundPlan, RoundPlan> change)
    {
        FederatedException e = Assert.Throws<FederatedException>(() => PlanCheck.Validate(change(Good())));
        Assert.Equal(RejectReason.Malformed, e.Reason);
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_GoodPlan_Passes()
    {
        PlanCheck.Validate(Good());
        PlanCheck.Validate(Good() with { Training = Good().Training with { Objective = "causal-lm", Labels = [] } });
    }

    [Fact]
    public void Validate_SeveralRulesBroken_NamesAll()
    {
        FederatedException e = Assert.Throws<FederatedException>(() => PlanCheck.Validate(Good() with { Round = 0, Global = null! }));
        Assert.Contains("round is 0", e.Message, StringComparison.Ordinal);
        Assert.Contains("global", e.Message, StringComparison.Ordinal);
    }

    private static RoundPlan Good() => new()
    {
        Run = "mail",
        Round = 1,
        Attempt = 1,
        Method = "fedit",
        Model = [new() { Name = "model-00001-of-00002.safetensors", Content = Blob }],
        Global = Blob,
        Adapter = new() { Rank = 2, Alpha = 4, Dropout = 0, TargetModules = ["q_proj"], ModulesToSave = [] },
        Training = new()
        {
            Objective = "sequence-classification",
            Labels = ["ham", "spam"],
            Steps = 3,
            StepOffset = 0,
            TotalSteps = 6,
            WarmupSteps = 6,
            Schedule = "cosine",
            LearningRate = 0.01,
            BatchSize = 4,
            MaxTokens = 32,
            WeightDecay = 0,
            ClipNorm = 0,
            HoldoutShare = 0.5,
        },
        Seed = 1,
        NormCap = 0,
    };
}
