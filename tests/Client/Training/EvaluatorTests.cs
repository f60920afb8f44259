using Federated.Client.Models;
using Federated.Client.Tests.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Training;

public sealed class EvaluatorTests
{
    [Fact]
    public void F1_KnownConfusion_IsScikitLearns()
    {
        // True class by row. Class 1: TP 6, FP 2+1, FN 3+0 -> 12/18; class 0: TP 5, FP 3, FN 2 -> 10/15; class 2: TP 0, FP 0, FN 1 -> 0.
        ClassificationReport report = new(0.5, new long[,] { { 5, 2, 0 }, { 3, 6, 0 }, { 0, 1, 0 } });
        Assert.Equal((17, 11), (report.Examples, report.Correct));
        Assert.Equal(11.0 / 17, report.Accuracy, 1e-12);
        Assert.Equal(10.0 / 15, report.F1(0), 1e-12);
        Assert.Equal(12.0 / 18, report.F1(1), 1e-12);
        Assert.Equal(0, report.F1(2));
        Assert.Equal(((10.0 / 15) + (12.0 / 18)) / 3, report.MacroF1, 1e-12);
    }

    [Fact]
    public void Classification_AnyBatching_CountsAndAveragesAlike()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(ModelTask.SequenceClassification, labels: 3), 2);
        IReadOnlyList<ReadOnlyMemory<int>> sequences = TinyLlama.Sequences(3, 20, 9);
        int[] classes = [.. Enumerable.Range(0, 20).Select(i => i % 3)];
        ClassificationReport whole = Evaluator.Classification(model, [TrainingBatch.ForClassification(sequences, classes)]);
        ClassificationReport parts = Evaluator.Classification(model, Enumerable.Range(0, 4).Select(part =>
            TrainingBatch.ForClassification([.. sequences.Skip(part * 5).Take(5)], classes[(part * 5)..((part + 1) * 5)])));
        Assert.Equal(whole.Confusion, parts.Confusion);
        Assert.Equal(whole.Loss, parts.Loss, 1e-5);
        Assert.Equal(20, whole.Examples);

        using DisposeScope scope = NewDisposeScope();
        ClassificationObjective objective = new();
        Assert.Equal(objective.Sum(model, TrainingBatch.ForClassification(sequences, classes)).item<float>() / 20, whole.Loss, 1e-5);
    }

    [Fact]
    public void LanguageModel_UntrainedModel_IsNearTheVocabularysPerplexity()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config() with { InitializerRange = 1e-3 }, 2);
        LanguageModelReport report = Evaluator.LanguageModel(model, [TrainingBatch.ForLanguageModel(TinyLlama.Sequences(3, 20, 9)), TrainingBatch.ForLanguageModel([new[] { 1 }])]);
        Assert.Equal(TinyLlama.Sequences(3, 20, 9).Sum(sequence => sequence.Length - 1), report.Predictions);
        Assert.Equal(TinyLlama.Vocabulary, report.Perplexity, 0.1);
    }

    [Fact]
    public void Classification_ClassOutsideTheModels_IsRefused()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(ModelTask.SequenceClassification), 2);
        TrainingBatch batch = TrainingBatch.ForClassification([new[] { 1, 2 }], [2]);
        Assert.Contains("Class 2", Assert.Throws<ArgumentException>(() => Evaluator.Classification(model, [batch])).Message, StringComparison.Ordinal);
        Assert.Contains("Class 2", Assert.Throws<ArgumentException>(() => new ClassificationObjective().Sum(model, batch)).Message, StringComparison.Ordinal);
    }
}
