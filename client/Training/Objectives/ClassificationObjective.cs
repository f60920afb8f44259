using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Training.Objectives;

/// <summary>Cross-entropy of each row's logits against its class.</summary>
public sealed class ClassificationObjective : IObjective
{
    /// <inheritdoc/>
    public string Name => KnownObjectives.Classification;

    /// <inheritdoc/>
    public long Terms(TrainingBatch batch) => Labels(batch).Count(label => label != TrainingBatch.Ignored);

    /// <inheritdoc/>
    public Tensor Sum(PretrainedModel model, TrainingBatch batch)
    {
        long[] labels = Labels(batch);
        int classes = model.Config.Labels.Count;
        if (labels.FirstOrDefault(label => label != TrainingBatch.Ignored && (label < 0 || label >= classes), 0) is var wrong and not 0)
            throw new ArgumentException($"Class {wrong} is outside the model's {classes} classes ({string.Join(", ", model.Config.Labels)}).", nameof(batch));

        using DisposeScope scope = NewDisposeScope();
        Tensor logits = model.call(batch.Input);
        return nn.functional.cross_entropy(logits, tensor(labels, [labels.Length]), reduction: nn.Reduction.Sum).MoveToOuterDisposeScope();
    }

    private long[] Labels(TrainingBatch batch)
    {
        long[] labels = batch.ClassLabels ?? throw new ArgumentException($"The objective '{Name}' needs {nameof(TrainingBatch.ClassLabels)}.", nameof(batch));
        return labels.Length == batch.Input.Rows ? labels : throw new ArgumentException($"{labels.Length} classes for {batch.Input.Rows} rows.", nameof(batch));
    }
}
