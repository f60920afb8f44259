using Federated.Client.Models;
using Federated.Client.Tests.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Training;

[Collection(nameof(NativeState))]
public sealed class LocalTrainerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("trainer");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Run_SmallCorpus_IsLearned()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        TrainingBatch batch = TrainingBatch.ForLanguageModel(TinyLlama.Sequences(5, 4, 8, shortest: 4));
        TrainingSummary summary = Trainer(model, Options(60)).Run(Enumerable.Repeat(batch, 100));
        Assert.Equal(60, summary.Steps);
        Assert.True(summary.LastLoss < 0.5, $"loss after 60 steps is {summary.LastLoss}");
        Assert.Equal(60L * batch.Tokens.Count, summary.Tokens);
    }

    [Fact]
    public void Run_TwiceFromTheSameStart_IsBitIdentical()
    {
        NamedTensors[] results = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
            Trainer(model, Options(8)).Run(Batches(8));
            return Snapshot(model);
        })];
        Assert.True(results[0].ContentEquals(results[1]));
    }

    [Fact]
    public void Load_AfterSaveHalfway_EndsBitIdenticalToAnUninterruptedRun()
    {
        string file = Path.Combine(_folder.FullName, "state.safetensors");
        using PretrainedModel whole = PretrainedModel.Create(TinyLlama.Config(), 1), first = PretrainedModel.Create(TinyLlama.Config(), 1), second = PretrainedModel.Create(TinyLlama.Config(), 99);
        Trainer(whole, Options(8)).Run(Batches(8));
        LocalTrainer before = Trainer(first, Options(8)), after = Trainer(second, Options(8));
        before.Run(Batches(5));
        before.Save(file);
        after.Load(file);
        Assert.Equal(5, after.StepsDone);
        after.Run(Batches(8).Skip(5));
        Assert.True(Snapshot(whole).ContentEquals(Snapshot(second)));
    }

    [Fact]
    public void Load_StateOfAnotherRun_IsRefused()
    {
        string file = Path.Combine(_folder.FullName, "state.safetensors");
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1), larger = PretrainedModel.Create(TinyLlama.Config() with { IntermediateSize = 44 }, 1);
        Trainer(model, Options(2)).Save(file);
        Assert.Throws<TensorFormatException>(() => Trainer(larger, Options(2)).Load(file));
        Assert.Throws<TensorFormatException>(() => Trainer(model, Options(2) with { Optimizer = LocalOptimizers.Sgd }).Load(file));
    }

    [Fact]
    public void Step_SplitIntoSeveralBatches_GivesTheSameGradientAsOne()
    {
        IReadOnlyList<ReadOnlyMemory<int>> sequences = TinyLlama.Sequences(8, 6, 9, shortest: 2);
        using PretrainedModel one = PretrainedModel.Create(TinyLlama.Config(), 1), split = PretrainedModel.Create(TinyLlama.Config(), 1);
        StepReport whole = Trainer(one, Options(1)).Step([TrainingBatch.ForLanguageModel(sequences)]);
        StepReport parts = Trainer(split, Options(1)).Step([TrainingBatch.ForLanguageModel([sequences[0]]), TrainingBatch.ForLanguageModel([.. sequences.Skip(1)])]);
        Assert.Equal(whole.Loss, parts.Loss, 1e-5);
        Assert.Equal(whole.GradientNorm, parts.GradientNorm, 1e-5);
        Assert.Equal((whole.Tokens, whole.Sequences), (parts.Tokens, parts.Sequences));
    }

    [Fact]
    public void Step_ListedParametersOnly_LeavesTheOthersUntouched()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        NamedTensors before = Snapshot(model);
        (string Name, Parameter Value)[] chosen = [.. model.Parameters.Where(parameter => parameter.Name.EndsWith("q_proj.weight", StringComparison.Ordinal))];
        new LocalTrainer(model, chosen, new CausalLanguageModelObjective(), Options(3)).Run(Batches(3));
        NamedTensors after = Snapshot(model);
        Assert.All(model.Parameters, parameter => Assert.Equal(!chosen.Contains(parameter), before[parameter.Name].SequenceEqual(after[parameter.Name])));
    }

    [Fact]
    public void Step_NonFiniteLoss_SaysWhereAndChangesNothing()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        model.Parameters.Single(parameter => parameter.Name == "model.norm.weight").Value.Floats()[3] = float.NaN;
        NamedTensors before = Snapshot(model);
        LocalTrainer trainer = Trainer(model, Options(5));
        string message = Assert.Throws<TrainingDivergedException>(() => trainer.Run(Batches(5))).Message;
        Assert.Contains("loss is NaN at step 1 of 5", message, StringComparison.Ordinal);
        Assert.True(before.ContentEquals(Snapshot(model)));
    }

    [Fact]
    public void Run_Cancelled_StopsWithTheLastCompleteStep()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        using CancellationTokenSource cancellation = new();
        LocalTrainer trainer = Trainer(model, Options(50));
        Assert.Throws<OperationCanceledException>(() => trainer.Run(Batches(50), report => CancelAt(report, 3, cancellation), cancellation.Token));
        Assert.Equal(3, trainer.StepsDone);
    }

    [Fact]
    public void Step_NothingToLearn_IsRefused()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        Assert.Throws<ArgumentException>(() => Trainer(model, Options(1)).Step([TrainingBatch.ForLanguageModel([new[] { 4 }])]));
        Assert.Throws<ArgumentException>(() => Trainer(model, Options(1)).Step([TrainingBatch.ForClassification([new[] { 4, 5 }], [1])]));
    }

    [Fact]
    public void Run_PartOfALongerSchedule_UsesThatPartsRates()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        List<double> rates = [];
        TrainingOptions options = new() { Steps = 3, FirstStep = 6, ScheduleSteps = 12, WarmupSteps = 4, LearningRate = 0.08, Schedule = LearningRateSchedules.Linear };
        Trainer(model, options).Run(Batches(3), report => rates.Add(report.LearningRate));
        Assert.Equal([0.06, 0.05, 0.04], rates, (expected, actual) => Math.Abs(expected - actual) < 1e-12);
    }

    [Fact]
    public void Constructor_WrongOptions_ListsThemAll()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        string message = Assert.Throws<ArgumentException>(() => Trainer(model, new() { Steps = 0, LearningRate = double.NaN, Schedule = "zigzag", ClipNorm = -1, Beta2 = 1, FirstStep = 4, ScheduleSteps = 3 })).Message;
        foreach (string part in new[] { "Steps is 0", "LearningRate is NaN", "Schedule is zigzag", "ClipNorm is -1", "Beta2 is 1", "ScheduleSteps is 3" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ManySteps_LeavesNoNativeTensorBehind()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        LocalTrainer trainer = Trainer(model, Options(12) with { ClipNorm = 1 });
        trainer.Run(Batches(2));
        long before = Tensor.TotalCount;
        trainer.Run(Batches(10));
        Assert.Equal(12, trainer.StepsDone);
        Assert.Equal(before, Tensor.TotalCount);
        Evaluator.LanguageModel(model, Batches(3));
        Assert.Equal(before, Tensor.TotalCount);
    }

    private static void CancelAt(StepReport report, int step, CancellationTokenSource cancellation)
    {
        if (report.Step == step)
            cancellation.Cancel();
    }

    private static IEnumerable<TrainingBatch> Batches(int count) =>
        Enumerable.Range(0, count).Select(step => TrainingBatch.ForLanguageModel(TinyLlama.Sequences(100 + step, 5, 12, shortest: 2)));

    private static TrainingOptions Options(int steps) => new() { Steps = steps, LearningRate = 0.01, Schedule = LearningRateSchedules.Cosine, Seed = 4 };

    private static LocalTrainer Trainer(PretrainedModel model, TrainingOptions options) => new(model, model.Parameters, new CausalLanguageModelObjective(), options);

    private static NamedTensors Snapshot(PretrainedModel model)
    {
        NamedTensors copy = new();
        foreach ((string name, Parameter parameter) in model.Parameters)
            copy.Add(name, parameter.shape, parameter.Floats().ToArray());
        return copy;
    }
}

/// <summary>Tests that read process-wide native state (live tensors, the random generator) and so run alone.</summary>
[CollectionDefinition(nameof(NativeState), DisableParallelization = true)]
public sealed class NativeState;
