using Federated.Client.Models;
using Federated.Client.Tests.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Training;

public sealed class SummarisingLanguageModelObjectiveTests : IDisposable
{
    private const double Weight = 0.5;
    private static readonly SummarisingLanguageModelObjective Objective = new(Weight);
    private readonly PretrainedModel _model = PretrainedModel.Create(TinyLlama.Config(tied: true), seed: 2);
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Sum_OfSomeRows_IsNextTokensPlusEveryWordOnceFromTheLastState()
    {
        int[][] rows = [[5, 6, 5, 7, 1], [8, 1], [9, 9, 1]];
        TrainingBatch batch = TrainingBatch.ForLanguageModel([.. rows.Select(row => (ReadOnlyMemory<int>)row)]);

        // The sets are {5, 6, 7}, {8} and {9}; the last token of a row, here 1, is no word of it.
        double words = LogProbability(4, 5) + LogProbability(4, 6) + LogProbability(4, 7) + LogProbability(6, 8) + LogProbability(9, 9);
        double next = new CausalLanguageModelObjective().Sum(_model, batch).item<float>();

        Assert.Equal(next - (Weight * words), Objective.Sum(_model, batch).item<float>(), 1e-3);
        Assert.Equal(4 + 1 + 2, Objective.Terms(batch));

        double LogProbability(int position, int token)
        {
            float[] logits = _model.call(batch.Tokens)[position].data<float>().ToArray();
            return logits[token] - Math.Log(logits.Sum(logit => Math.Exp(logit)));
        }
    }

    [Fact]
    public void Sum_AnIgnoredEnd_StillCarriesTheSummary()
    {
        TrainingBatch batch = TrainingBatch.ForLanguageModel([new[] { 5, 6, 1 }]);
        float predicted = Objective.Sum(_model, batch).item<float>() - new CausalLanguageModelObjective().Sum(_model, batch).item<float>();
        batch.TokenLabels![^1] = TrainingBatch.Ignored;

        Assert.Equal(1, Objective.Terms(batch));
        Assert.Equal(predicted, Objective.Sum(_model, batch).item<float>() - new CausalLanguageModelObjective().Sum(_model, batch).item<float>(), 1e-4);
    }

    [Fact]
    public void Sum_Backward_AgreesWithFiniteDifferences()
    {
        TrainingBatch batch = TrainingBatch.ForLanguageModel(TinyLlama.Sequences(seed: 3, count: 4, longest: 9, shortest: 2));
        foreach (Parameter parameter in _model.Parameters.Select(entry => entry.Value))
            parameter.requires_grad = true;
        Objective.Sum(_model, batch).backward();

        foreach ((string name, Parameter parameter) in _model.Parameters)
        {
            using IDisposable _ = no_grad();
            Tensor gradient = parameter.grad!;
            double norm = gradient.norm().item<float>();
            Tensor start = parameter.clone(), step = gradient * (1e-2 / norm);
            parameter.copy_(start + step);
            double above = Objective.Sum(_model, batch).item<float>();
            parameter.copy_(start - step);
            double below = Objective.Sum(_model, batch).item<float>();
            parameter.copy_(start);

            // Along the gradient the slope is its norm.
            Assert.True(Math.Abs(((above - below) / 2e-2) - norm) <= 0.02 * norm, $"{name}: slope {(above - below) / 2e-2}, norm of the gradient {norm}");
        }
    }

    [Fact]
    public void Sum_AModelWithAnotherHead_IsRefused()
    {
        using PretrainedModel classifier = PretrainedModel.Create(TinyLlama.Config(ModelTask.SequenceClassification), seed: 2);
        Assert.Contains("language-model head", Assert.Throws<ArgumentException>(
            () => Objective.Sum(classifier, TrainingBatch.ForLanguageModel([new[] { 5, 6 }]))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Constructor_AWeightThatIsNone_IsRefused(double weight) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SummarisingLanguageModelObjective(weight));
}
