using Federated.Client.Data;

namespace Federated.Client.Training;

/// <summary>The examples of one source as tokens or images, divided into those to train on and those held out. The texts and images themselves are not kept.</summary>
public sealed class TaskData
{
    /// <summary>Places of an evaluation batch.</summary>
    private const int EvaluationTokens = 4096;

    private readonly IReadOnlyList<TaskRow> _rows;
    private readonly IReadOnlyList<int[]> _training;
    private readonly IReadOnlyList<int> _holdout;
    private readonly Func<IReadOnlyList<TaskRow>, TrainingBatch> _batch;

    /// <summary>Takes rows and their division.</summary>
    /// <param name="rows">All rows.</param>
    /// <param name="training">The examples to train on: the rows of each, by number. An example of several rows is a block that they fill together.</param>
    /// <param name="holdout">Rows held out, by number.</param>
    /// <param name="batch">Makes a batch of rows.</param>
    internal TaskData(
        IReadOnlyList<TaskRow> rows, IReadOnlyList<int[]> training, IReadOnlyList<int> holdout, Func<IReadOnlyList<TaskRow>, TrainingBatch> batch) =>
        (_rows, _training, _holdout, _batch) = (rows, training, holdout, batch);

    /// <summary>Positions that a row without tokens takes: of an image, those that the model makes of it.</summary>
    internal int ImageLength { get; init; } = 1;

    /// <summary>Examples to train on: what a batch is made of.</summary>
    public int TrainingExamples => _training.Count;

    /// <summary>Records of the file that they were made of: what a site registers, and its weight among the others.</summary>
    public int TrainingRecords { get => field > 0 ? field : _training.Count; init; }

    /// <summary>Examples held out.</summary>
    public int HoldoutExamples => _holdout.Count;

    /// <summary>Training batches without end, of examples of similar length, in an order that the seed fixes; the first <paramref name="skip"/> are left out.</summary>
    public IEnumerable<TrainingBatch> Training(int batchSize, ulong seed, int skip = 0) =>
        new LengthBuckets(_training.Select(example => example.Sum(Length)), new() { BatchSize = batchSize })
            .Endless(seed, skip).Select(batch => Batch(batch.SelectMany(index => _training[index])));

    /// <summary>Every held-out example once.</summary>
    public IEnumerable<TrainingBatch> Holdout() => Once(_holdout);

    /// <summary>Every example of the training part once.</summary>
    public IEnumerable<TrainingBatch> All() => Once([.. _training.SelectMany(example => example)]);

    /// <summary>The groups that examples were divided into, by the value of the field asked for; one that is empty where none was.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [""];

    /// <summary>Every example of the training part that belongs to a group, once.</summary>
    public IEnumerable<TrainingBatch> OfGroup(int group) => Once([.. _training.SelectMany(example => example).Where(row => _rows[row].Group == group)]);

    private IEnumerable<TrainingBatch> Once(IReadOnlyList<int> rows) => rows.Count == 0
        ? []
        : new LengthBuckets(rows.Select(Length), new() { MaxTokens = EvaluationTokens })
            .Epoch(seed: 0, epoch: 0).Select(batch => Batch(batch.Select(index => rows[index])));

    private int Length(int row) => _rows[row].Image is null ? _rows[row].Tokens.Length : ImageLength;

    private TrainingBatch Batch(IEnumerable<int> rows) => _batch([.. rows.Select(row => _rows[row])]);
}
