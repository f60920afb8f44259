using Federated.Client.Data;
using Federated.Client.Tokenizers;

namespace Federated.Client.Training;

/// <summary>Labelled texts of one file as tokens, divided into those to train on and those held out.</summary>
/// <remarks>
/// A text is cut to the plan's length and ends with the tokenizer's end-of-text token where it has one: that is the position
/// whose hidden state the classification head reads. The texts themselves are not kept.
/// </remarks>
public sealed class ClassificationData
{
    /// <summary>Places of an evaluation batch.</summary>
    private const int EvaluationTokens = 4096;

    private readonly int[][] _tokens;
    private readonly int[] _classes;
    private readonly int[] _training;
    private readonly int[] _holdout;

    private ClassificationData(int[][] tokens, int[] classes, int[] training, int[] holdout) =>
        (_tokens, _classes, _training, _holdout) = (tokens, classes, training, holdout);

    /// <summary>Examples to train on.</summary>
    public int TrainingExamples => _training.Length;

    /// <summary>Examples held out.</summary>
    public int HoldoutExamples => _holdout.Length;

    /// <summary>Reads a file.</summary>
    /// <param name="path">JSONL or CSV, plain or compressed.</param>
    /// <param name="tokenizer">The base model's.</param>
    /// <param name="labels">The classes.</param>
    /// <param name="maxTokens">Longest example, the end-of-text token included.</param>
    /// <param name="holdoutShare">Share held out, in [0, 0.5]; the same texts in every round and run.</param>
    /// <param name="cancellation">Stops between two texts.</param>
    /// <exception cref="DataFormatException">The file is malformed, has an unknown label, or no example to train on.</exception>
    public static ClassificationData Read(
        string path, ITokenizer tokenizer, LabelSet labels, int maxTokens, double holdoutShare, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(labels);
        List<LabelledText> texts = [.. TextFiles.Read(path)];
        int[] classes = [.. texts.Select(labels.IndexOf)];
        (int[] training, int[] holdout) = HoldoutSplit.Divide(texts, holdoutShare, seed: 0);
        if (training.Length == 0)
            throw new DataFormatException(path, 0, "the file has no example; one or more were expected.");

        List<int> buffer = [];
        int[][] tokens = [.. texts.Select(text =>
        {
            cancellation.ThrowIfCancellationRequested();
            return Encode(text.Text, tokenizer, maxTokens, buffer);
        })];
        return new(tokens, classes, training, holdout);
    }

    /// <summary>Training batches without end, of examples of similar length, in an order that the seed fixes; the first <paramref name="skip"/> are left out.</summary>
    public IEnumerable<TrainingBatch> Training(int batchSize, ulong seed, int skip = 0) =>
        Buckets(_training, new BatchBounds { BatchSize = batchSize }).Endless(seed, skip).Select(batch => Batch(_training, batch));

    /// <summary>Every held-out example once.</summary>
    public IEnumerable<TrainingBatch> Holdout() => Once(_holdout);

    /// <summary>Every example of the training part once.</summary>
    public IEnumerable<TrainingBatch> All() => Once(_training);

    private IEnumerable<TrainingBatch> Once(int[] examples) => examples.Length == 0
        ? []
        : Buckets(examples, new BatchBounds { MaxTokens = EvaluationTokens }).Epoch(seed: 0, epoch: 0).Select(batch => Batch(examples, batch));

    private LengthBuckets Buckets(int[] examples, BatchBounds bounds) => new(examples.Select(example => _tokens[example].Length), bounds);

    private TrainingBatch Batch(int[] examples, int[] batch) => TrainingBatch.ForClassification(
        [.. batch.Select(index => (ReadOnlyMemory<int>)_tokens[examples[index]])],
        [.. batch.Select(index => _classes[examples[index]])]);

    private static int[] Encode(string text, ITokenizer tokenizer, int maxTokens, List<int> buffer)
    {
        buffer.Clear();
        tokenizer.Encode(text, buffer, addSpecialTokens: true);
        int? end = tokenizer.Special.Eos;
        int room = maxTokens - (end is null ? 0 : 1);
        if (buffer.Count > room)
            buffer.RemoveRange(room, buffer.Count - room);
        if (end is { } token && (buffer.Count == 0 || buffer[^1] != token))
            buffer.Add(token);
        return buffer.Count > 0 ? [.. buffer] : [0];
    }
}
