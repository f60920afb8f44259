using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Training.Objectives;

/// <summary>Losses of every logit against a target of its own: several labels at once, or regression.</summary>
public sealed class TargetObjective : IObjective
{
    private readonly Func<Tensor, Tensor, Tensor> _sum;

    private TargetObjective(string name, Func<Tensor, Tensor, Tensor> sum) => (Name, _sum) = (name, sum);

    /// <summary>Binary cross-entropy of each logit against 0 or 1.</summary>
    public static TargetObjective MultiLabel { get; } = new(KnownObjectives.MultiLabel, BinaryCrossEntropy);

    /// <summary>Squared difference of each logit and its target.</summary>
    public static TargetObjective Regression { get; } = new(KnownObjectives.Regression, SquaredError);

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Terms(TrainingBatch batch) => Targets(batch).Length;

    /// <inheritdoc/>
    public Tensor Sum(PretrainedModel model, TrainingBatch batch)
    {
        float[] targets = Targets(batch);
        int rows = batch.Input.Rows, labels = model.Config.Labels.Count;
        if (targets.Length != rows * labels)
            throw new ArgumentException($"{targets.Length} targets for {rows} rows of {labels} labels.", nameof(batch));

        using DisposeScope scope = NewDisposeScope();
        return _sum(model.call(batch.Input), tensor(targets, [rows, labels])).MoveToOuterDisposeScope();
    }

    // max(x, 0) − x·y + log(1 + e^−|x|): no exponential overflows.
    private static Tensor BinaryCrossEntropy(Tensor logits, Tensor targets) =>
        (logits.clamp(min: 0) - (logits * targets) + (logits.abs().neg().exp() + 1).log()).sum();

    private static Tensor SquaredError(Tensor logits, Tensor targets)
    {
        Tensor difference = logits - targets;
        return (difference * difference).sum();
    }

    private float[] Targets(TrainingBatch batch) =>
        batch.Targets ?? throw new ArgumentException($"The objective '{Name}' needs {nameof(TrainingBatch.Targets)}.", nameof(batch));
}
