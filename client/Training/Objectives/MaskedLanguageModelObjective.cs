using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Training.Objectives;

/// <summary>Cross-entropy of each labelled position's prediction against its own label, which stands for the token that was masked there.</summary>
public sealed class MaskedLanguageModelObjective : IObjective
{
    /// <inheritdoc/>
    public string Name => KnownObjectives.MaskedLanguageModel;

    /// <inheritdoc/>
    public long Terms(TrainingBatch batch) => Labels(batch).LongCount(label => label != TrainingBatch.Ignored);

    /// <inheritdoc/>
    public Tensor Sum(PretrainedModel model, TrainingBatch batch)
    {
        if (model.Config.Task != ModelTask.MaskedLanguageModel || model.Head is not ITokenHead head)
            throw new ArgumentException($"The objective '{Name}' needs a masked-language-model head; the model is a {model.Config.ClassName}.", nameof(model));

        using DisposeScope scope = NewDisposeScope();
        long[] labels = Labels(batch);
        long[] positions = [.. Enumerable.Range(0, labels.Length).Where(i => labels[i] != TrainingBatch.Ignored).Select(i => (long)i)];
        long[] targets = [.. positions.Select(position => labels[position])];
        Tensor hidden = model.Encode(batch.Tokens, new() { Positions = positions });
        return head.CrossEntropy(hidden, tensor(targets, [targets.Length])).MoveToOuterDisposeScope();
    }

    private long[] Labels(TrainingBatch batch)
    {
        long[] labels = batch.TokenLabels ?? throw new ArgumentException($"The objective '{Name}' needs {nameof(TrainingBatch.TokenLabels)}.", nameof(batch));
        return labels.Length == batch.Tokens.Count ? labels : throw new ArgumentException($"{labels.Length} labels for {batch.Tokens.Count} positions.", nameof(batch));
    }
}
