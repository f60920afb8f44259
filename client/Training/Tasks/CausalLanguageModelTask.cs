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
        foreach (LabelledText document in TextFiles.Read(source.Path, new() { LabelColumn = null }))
        {
            cancellation.ThrowIfCancellationRequested();
            documents.Add(HoldoutKey.Of(document.Text, label: null, seed: 0));
            starts.Add(rows.Count);
            rows.AddRange(cutter.Cut(document.Text));
            for (int row = starts[^1]; row < rows.Count; row++)
                budget.Add(rows[row].Tokens.Length, document.File, document.Line);
        }

        starts.Add(rows.Count);
        (int[] training, int[] holdout) = HoldoutSplit.Divide(documents, source.HoldoutShare);
        int[] trainingRows = [.. Rows(training)];
        if (trainingRows.Length == 0)
            throw new DataFormatException(source.Path, 0, "the file has no text to train on; one document or more were expected.");

        IReadOnlyList<int[]> blocks = BlockPacker.Pack([.. trainingRows.Select(row => rows[row].Tokens.Length)], source.MaxTokens);
        return new(rows, [.. blocks.Select(block => Array.ConvertAll(block, index => trainingRows[index]))], [.. Rows(holdout)], TrainingBatch.ForLanguageModel);

        IEnumerable<int> Rows(IEnumerable<int> of) => of.SelectMany(document => Enumerable.Range(starts[document], starts[document + 1] - starts[document]));
    }

    /// <inheritdoc/>
    public HoldoutScore Score(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation) =>
        new(Evaluator.LanguageModel(model, batches, cancellation).Loss, Accuracy: null);
}
