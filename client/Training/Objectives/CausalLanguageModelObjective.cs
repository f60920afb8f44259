using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Training.Objectives;

/// <summary>Cross-entropy of each position's prediction against the next token of the same row.</summary>
public sealed class CausalLanguageModelObjective : IObjective
{
    /// <inheritdoc/>
    public string Name => KnownObjectives.CausalLanguageModel;

    /// <inheritdoc/>
    public long Terms(TrainingBatch batch) => Predictions(batch).Targets.Length;

    /// <inheritdoc/>
    public Tensor Sum(PretrainedModel model, TrainingBatch batch)
    {
        if (model.Head is not LanguageModelHead head)
            throw new ArgumentException($"The objective '{Name}' needs a language-model head; the model is a {model.Config.ClassName}.", nameof(model));

        using DisposeScope scope = NewDisposeScope();
        (long[] positions, long[] targets) = Predictions(batch);
        Tensor hidden = model.Backbone.Encode(batch.Tokens, positions);
        return head.CrossEntropy(hidden, tensor(targets, [targets.Length])).MoveToOuterDisposeScope();
    }

    private (long[] Positions, long[] Targets) Predictions(TrainingBatch batch)
    {
        long[] labels = batch.TokenLabels ?? throw new ArgumentException($"The objective '{Name}' needs {nameof(TrainingBatch.TokenLabels)}.", nameof(batch));
        if (labels.Length != batch.Tokens.Count)
            throw new ArgumentException($"{labels.Length} labels for {batch.Tokens.Count} positions.", nameof(batch));

        List<long> positions = new(labels.Length), targets = new(labels.Length);
        ReadOnlySpan<int> offsets = batch.Tokens.Offsets.Span;
        for (int row = 0; row + 1 < offsets.Length; row++)
        {
            for (int i = offsets[row]; i + 1 < offsets[row + 1]; i++)
            {
                if (labels[i + 1] == TrainingBatch.Ignored)
                    continue;
                positions.Add(i);
                targets.Add(labels[i + 1]);
            }
        }

        return ([.. positions], [.. targets]);
    }
}
