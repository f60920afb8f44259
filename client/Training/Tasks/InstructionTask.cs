using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Training.Objectives;

namespace Federated.Client.Training.Tasks;

/// <summary>Instruction tuning: records with <c>prompt</c> and <c>completion</c>, or with <c>messages</c> of a conversation; the loss is on the answers alone.</summary>
/// <remarks>See <see cref="InstructionRows"/>. Ouyang et al. 2022, arXiv:2203.02155, section 3.4 (supervised fine-tuning).</remarks>
public sealed class InstructionTask : ITrainingTask
{
    internal const string MessagesField = "messages", PromptField = "prompt", CompletionField = "completion";
    private static readonly FieldLayout Layout = new([new(PromptField, null), new(CompletionField, null)], [new(MessagesField, null)]);

    /// <inheritdoc/>
    public string Name => KnownObjectives.Instruction;

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
        InstructionRows encoder = new(source.Tokenizer, source.ChatTemplate, source.MaxTokens);
        TokenBudget budget = TokenBudget.OfThisMachine();
        GroupNames groups = new(source.By);
        List<TaskRow> rows = [];
        List<HoldoutKey> keys = [];
        foreach (DataRecord record in TextFiles.Records(source.Path, Layout))
        {
            cancellation.ThrowIfCancellationRequested();
            (TaskRow row, string content) = Row(encoder, record);
            keys.Add(HoldoutKey.Of(content, label: null, seed: 0));
            rows.Add(row with { Group = groups.Of(record) });
            budget.Add(row.Tokens.Length, record.File, record.Line);
        }

        (int[] training, int[] holdout) = HoldoutSplit.Divide(keys, source.HoldoutShare);
        if (training.Length == 0)
            throw new DataFormatException(source.Path, 0, "the file has no example to train on; one or more were expected.");
        return new(rows, Array.ConvertAll(training, row => (int[])[row]), holdout, TrainingBatch.ForLanguageModel) { Groups = groups.Names };
    }

    /// <inheritdoc/>
    public EvaluationReport Evaluate(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation) =>
        Evaluator.Tokens(model, Objective, batches, cancellation);

    /// <summary>Whether a record is of this kind.</summary>
    internal static bool Fits(DataRecord record) => Layout.Find(record.Fields.ContainsKey) is not null;

    private static (TaskRow Row, string Content) Row(InstructionRows encoder, DataRecord record)
    {
        if (!record.Fields.TryGetValue(MessagesField, out DataValue messages))
        {
            (string prompt, string completion) = (record.Text(PromptField), record.Text(CompletionField));
            return (encoder.Pair(record, prompt, completion), prompt + '\0' + completion);
        }

        return messages.Kind == DataKind.Sequence
            ? (encoder.Conversation(record, messages.Content), messages.Content)
            : throw record.Wrong($"'{MessagesField}' is {messages.KindText}; wanted an array of messages.");
    }
}
