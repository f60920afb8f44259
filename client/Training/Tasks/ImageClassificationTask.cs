using Federated.Client.Data;
using Federated.Client.Data.Images;
using Federated.Client.Models;
using Federated.Client.Training.Objectives;

namespace Federated.Client.Training.Tasks;

/// <summary>One class an image: a folder of PNG and JPEG files by class, or IDX files.</summary>
/// <remarks>
/// Only names, classes and hashes stay in memory; a batch decodes its images when it is wanted. Every image's header is looked at before
/// training starts. Images are held out by the bytes of their files, as texts are by their characters.
/// </remarks>
public sealed class ImageClassificationTask : ITrainingTask
{
    /// <summary>Most numbers of a batch: 1 GiB.</summary>
    private const long LargestBatch = 1 << 28;

    /// <inheritdoc/>
    public string Name => KnownObjectives.ImageClassification;

    /// <inheritdoc/>
    public ModelTask Head => ModelTask.ImageClassification;

    /// <inheritdoc/>
    public string? PeftType => null;

    /// <inheritdoc/>
    public IObjective Objective { get; } = new ClassificationObjective();

    /// <inheritdoc/>
    public TaskData Read(TaskSource source, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ImageSource images = ImageSource.Open(source.Path);
        LabelSet labels = new(source.Labels);
        GroupNames groups = new(source.By);
        TaskRow[] rows = new TaskRow[images.Count];
        HoldoutKey[] keys = new HoldoutKey[images.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            DataRecord record = images.Record(i);
            string label = record.Scalar(source.LabelColumn);
            rows[i] = new(ReadOnlyMemory<int>.Empty) { Image = i, Class = labels.IndexOf(label, record.File, record.Line), Group = groups.Of(record) };
            keys[i] = images.Check(i, label, seed: 0);
        }

        // At least one stays to train on: a source without an image is refused when it is opened.
        (int[] training, int[] holdout) = HoldoutSplit.Divide(keys, source.HoldoutShare);
        return new(rows, Array.ConvertAll(training, row => (int[])[row]), holdout, batch => Batch(batch, images, source.Images))
        {
            Groups = groups.Names,
            ImageLength = source.MaxTokens,
        };
    }

    /// <inheritdoc/>
    public EvaluationReport Evaluate(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation)
    {
        ClassificationReport report = Evaluator.Classification(model, batches, cancellation);
        return new(report.Examples) { Classification = report };
    }

    /// <summary>The fields of every image, one record in memory at a time.</summary>
    internal static IEnumerable<DataRecord> Records(TaskSource source)
    {
        ImageSource images = ImageSource.Open(source.Path);
        return Enumerable.Range(0, images.Count).Select(images.Record);
    }

    private static TrainingBatch Batch(IReadOnlyList<TaskRow> rows, ImageSource images, ImagePreprocessor preprocessor)
    {
        long numbers = (long)rows.Count * preprocessor.Length;
        if (numbers > LargestBatch)
            throw new InvalidDataException($"A batch of {rows.Count} images of {preprocessor.Length:N0} numbers each has {numbers:N0}; at most {LargestBatch:N0} are taken. Make the batch smaller.");
        float[] pixels = new float[numbers];
        for (int row = 0; row < rows.Count; row++)
        {
            int image = rows[row].Image!.Value;
            preprocessor.Apply(images.Load(image, preprocessor.Channels), pixels.AsSpan(row * preprocessor.Length, preprocessor.Length), images.Record(image).File);
        }

        return new(new ImageBatch(pixels, rows.Count, preprocessor.Channels, preprocessor.Height, preprocessor.Width)) { ClassLabels = [.. rows.Select(row => (long)row.Class)] };
    }
}
