using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Training.Objectives;

namespace Federated.Client.Training.Tasks;

/// <summary>One class a text.</summary>
/// <remarks>
/// A text is cut to the longest row's length and ends with the tokenizer's end-of-text token where it has one: that is the position
/// whose hidden state the classification head reads.
/// </remarks>
public sealed class ClassificationTask : ITrainingTask
{
    /// <inheritdoc/>
    public string Name => KnownObjectives.Classification;

    /// <inheritdoc/>
    public ModelTask Head => ModelTask.SequenceClassification;

    /// <inheritdoc/>
    public string PeftType => "SEQ_CLS";

    /// <inheritdoc/>
    public IObjective Objective { get; } = new ClassificationObjective();

    /// <inheritdoc/>
    public TaskData Read(TaskSource source, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        LabelSet labels = new(source.Labels);
        TokenBudget budget = TokenBudget.OfThisMachine();
        List<TaskRow> rows = [];
        List<HoldoutKey> keys = [];
        List<int> buffer = [];
        foreach (LabelledText text in TextFiles.Read(source.Path))
        {
            cancellation.ThrowIfCancellationRequested();
            keys.Add(HoldoutKey.Of(text.Text, text.Label, seed: 0));
            rows.Add(new(Encode(text.Text, source.Tokenizer, source.MaxTokens, buffer)) { Class = labels.IndexOf(text) });
            budget.Add(rows[^1].Tokens.Length, text.File, text.Line);
        }

        (int[] training, int[] holdout) = HoldoutSplit.Divide(keys, source.HoldoutShare);
        if (training.Length == 0)
            throw new DataFormatException(source.Path, 0, "the file has no example; one or more were expected.");

        return new(rows, Array.ConvertAll(training, row => (int[])[row]), holdout, TrainingBatch.ForClassification);
    }

    /// <inheritdoc/>
    public HoldoutScore Score(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation)
    {
        ClassificationReport report = Evaluator.Classification(model, batches, cancellation);
        return new(report.Loss, report.Accuracy);
    }

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
