using Federated.Client.Models;
using Federated.Client.Training.Objectives;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Training;

/// <summary>Measures a model on held-out batches: no dropout, no gradients, native memory freed batch by batch.</summary>
public static class Evaluator
{
    private static readonly CausalLanguageModelObjective LanguageObjective = new();

    /// <summary>Loss and perplexity of a language model, over all predictions of all batches.</summary>
    /// <exception cref="ArgumentException">A batch has no token labels, or the model no language-model head.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; checked before each batch.</exception>
    public static LanguageModelReport LanguageModel(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation = default) =>
        Tokens(model, LanguageObjective, batches, cancellation).Language!;

    /// <summary>Loss and perplexity over the labelled tokens of all batches, by an objective that sums the cross-entropy of each.</summary>
    /// <exception cref="ArgumentException">A batch has no token labels, or the model another head than the objective needs.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; checked before each batch.</exception>
    public static EvaluationReport Tokens(PretrainedModel model, IObjective objective, IEnumerable<TrainingBatch> batches, CancellationToken cancellation = default)
    {
        using IDisposable _ = no_grad();
        model.eval();
        double sum = 0;
        long predictions = 0, examples = 0;
        foreach (TrainingBatch batch in batches.Select(batch => batch.For(model)))
        {
            cancellation.ThrowIfCancellationRequested();
            examples += batch.Input.Rows;
            long terms = objective.Terms(batch);
            if (terms == 0)
                continue;
            using DisposeScope scope = NewDisposeScope();
            sum += objective.Sum(model, batch).item<float>();
            predictions += terms;
        }

        return new(examples) { Language = new(predictions, sum / predictions) };
    }

    /// <summary>Loss, confusion and calibration of a classifier. Ties go to the lower class.</summary>
    /// <exception cref="ArgumentException">A batch has no classes, or one outside the model's.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; checked before each batch.</exception>
    public static ClassificationReport Classification(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation = default)
    {
        using IDisposable _ = no_grad();
        model.eval();
        int classes = model.Config.Labels.Count;
        long[,] confusion = new long[classes, classes];
        CalibrationBins calibration = new();
        double sum = 0;
        long examples = 0;
        foreach (TrainingBatch batch in batches)
        {
            cancellation.ThrowIfCancellationRequested();
            long[] labels = batch.ClassLabels ?? throw new ArgumentException($"Evaluation of a classifier needs {nameof(TrainingBatch.ClassLabels)}.", nameof(batches));
            using DisposeScope scope = NewDisposeScope();
            ReadOnlySpan<float> logits = model.call(batch.Input).contiguous().Floats();
            for (int row = 0; row < labels.Length; row++)
            {
                if ((ulong)labels[row] >= (ulong)classes)
                    throw new ArgumentException($"Class {labels[row]} is outside the model's {classes} classes ({string.Join(", ", model.Config.Labels)}).", nameof(batches));
                ReadOnlySpan<float> scores = logits.Slice(row * classes, classes);
                sum += CrossEntropy(scores, (int)labels[row], out int predicted, out double confidence);
                confusion[labels[row], predicted]++;
                calibration.Add(confidence, predicted == labels[row]);
                examples++;
            }
        }

        return new(sum / examples, confusion) { Calibration = calibration };
    }

    private static double CrossEntropy(ReadOnlySpan<float> scores, int label, out int best, out double confidence)
    {
        best = 0;
        for (int i = 1; i < scores.Length; i++)
            best = scores[i] > scores[best] ? i : best;
        double total = 0;
        foreach (float score in scores)
            total += Math.Exp((double)score - scores[best]);
        confidence = 1 / total;
        return Math.Log(total) + scores[best] - scores[label];
    }
}
