using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Training.Objectives;

namespace Federated.Client.Training.Tasks;

/// <summary>Continued pretraining on plain text: documents of a <c>.txt</c> file, or the field <c>text</c> of JSONL or CSV.</summary>
/// <remarks>
/// Whole documents are held out. Training passages are packed into blocks of the longest row's length, and a batch is of blocks;
/// a block never mixes documents in one row, so nothing is predicted from another document. See <see cref="PassageCutter"/>.
/// </remarks>
public sealed class CausalLanguageModelTask : ITrainingTask
{
    /// <inheritdoc/>
    public string Name => KnownObjectives.CausalLanguageModel;

    /// <inheritdoc/>
    public ModelTask Head => ModelTask.CausalLanguageModel;

    /// <inheritdoc/>
    public string PeftType => "CAUSAL_LM";

    /// <inheritdoc/>
    public IObjective Objective { get; } = new CausalLanguageModelObjective();

    /// <inheritdoc/>
    public TaskData Read(TaskSource source, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        PassageCutter cutter = new(source.Tokenizer, source.Tokenizer.Special.Eos, source.MaxTokens);
        TokenBudget budget = TokenBudget.OfThisMachine();
        List<TaskRow> rows = [];
        List<HoldoutKey> documents = [];
        List<int> starts = [];
        GroupNames groups = new(source.By);
        TextFileOptions options = new() { TextColumn = source.TextColumn, LabelColumn = null };
        FieldLayout layout = options.Layout();
        foreach (DataRecord document in TextFiles.Records(source.Path, layout, options))
        {
            cancellation.ThrowIfCancellationRequested();
            string text = document.Text(layout.Find(document.Fields.ContainsKey)![0].Name);
            documents.Add(HoldoutKey.Of(text, label: null, seed: 0));
            starts.Add(rows.Count);
            int group = groups.Of(document);
            foreach (TaskRow passage in cutter.Cut(text))
            {
                budget.Add(passage.Tokens.Length, document.File, document.Line);
                rows.Add(passage with { Group = group });
            }
        }

        starts.Add(rows.Count);
        (int[] training, int[] holdout) = HoldoutSplit.Divide(documents, source.HoldoutShare);
        int[] trainingRows = [.. Rows(training)];
        if (trainingRows.Length == 0)
            throw new DataFormatException(source.Path, 0, "the file has no text to train on; one document or more were expected.");

        IReadOnlyList<int[]> blocks = BlockPacker.Pack([.. trainingRows.Select(row => rows[row].Tokens.Length)], source.MaxTokens);
        return new(rows, [.. blocks.Select(block => Array.ConvertAll(block, index => trainingRows[index]))], [.. Rows(holdout)], TrainingBatch.ForLanguageModel)
        {
            Groups = groups.Names,
            TrainingRecords = training.Length,
        };

        IEnumerable<int> Rows(IEnumerable<int> of) => of.SelectMany(document => Enumerable.Range(starts[document], starts[document + 1] - starts[document]));
    }

    /// <inheritdoc/>
    public EvaluationReport Evaluate(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation) =>
        Evaluator.Tokens(model, Objective, batches, cancellation);
}
