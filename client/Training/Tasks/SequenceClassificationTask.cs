using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Training.Objectives;

namespace Federated.Client.Training.Tasks;

/// <summary>One class a text, or a pair of texts.</summary>
/// <remarks>
/// Texts stand between the special tokens of the tokenizer's template; of a pair that is too long the longer text is cut. A tokenizer whose
/// template puts nothing after the texts, as those of decoders do, gets its end-of-text token appended where it has one: that is the position
/// whose hidden state a decoder's classification head reads.
/// </remarks>
public sealed class SequenceClassificationTask : ITrainingTask
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
        Rows encoder = new(source);
        TokenBudget budget = TokenBudget.OfThisMachine();
        GroupNames groups = new(source.By);
        List<TaskRow> rows = [];
        List<HoldoutKey> keys = [];
        TextFileOptions options = source.TextOptions;
        FieldLayout layout = options.Layout();
        foreach (DataRecord record in TextFiles.Records(source.Path, layout, options))
        {
            cancellation.ThrowIfCancellationRequested();
            LabelledText example = LabelledText.Of(record, layout, options.LabelColumn);
            keys.Add(HoldoutKey.Of(example.Pair is { } pair ? example.Text + '\0' + pair : example.Text, example.Label, seed: 0));
            rows.Add(encoder.Encode(example) with { Class = labels.IndexOf(example), Group = groups.Of(record) });
            budget.Add(rows[^1].Tokens.Length, example.File, example.Line);
        }

        (int[] training, int[] holdout) = HoldoutSplit.Divide(keys, source.HoldoutShare);
        if (training.Length == 0)
            throw new DataFormatException(source.Path, 0, "the file has no example; one or more were expected.");

        return new(rows, Array.ConvertAll(training, row => (int[])[row]), holdout, TrainingBatch.ForClassification) { Groups = groups.Names };
    }

    /// <inheritdoc/>
    public EvaluationReport Evaluate(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation)
    {
        ClassificationReport report = Evaluator.Classification(model, batches, cancellation);
        return new(report.Examples) { Classification = report };
    }

    /// <summary>Makes rows of texts.</summary>
    private sealed class Rows
    {
        private readonly BatchEncoder _plain;
        private readonly BatchEncoder _ended;
        private readonly int? _end;

        public Rows(TaskSource source)
        {
            _plain = new(source.Tokenizer, new() { MaxLength = source.MaxTokens });
            _ended = new(source.Tokenizer, new() { MaxLength = source.MaxTokens - 1 });
            _end = source.Tokenizer.Template.ForOne[^1].IsText ? source.Tokenizer.Special.Eos : null;
        }

        public TaskRow Encode(LabelledText example)
        {
            TokenRow row = (_end is null ? _plain : _ended).EncodeRow(example.Text, example.Pair);
            if (_end is not { } end || (row.Ids is [.., var last] && last == end))
                return Of(row.Ids, row.TypeIds, example);
            return Of([.. row.Ids, end], row.TypeIds is { } types ? [.. types, types[^1]] : null, example);
        }

        private static TaskRow Of(int[] tokens, int[]? types, LabelledText example) => tokens.Length > 0
            ? new(tokens) { TypeIds = types }
            : throw new DataFormatException(example.File, example.Line, "its text has no token, and the tokenizer puts none around it; leave the line out.");
    }
}
