using Federated.Client.Data;
using Federated.Client.Data.Images;
using Federated.Client.Models;
using Federated.Client.Training.Objectives;

namespace Federated.Client.Training.Tasks;

/// <summary>The task that a model and a data file suggest when none is named.</summary>
/// <param name="Name">One of <see cref="TrainingTasks.Names"/>.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record TaskChoice(string Name, string Reason)
{
    /// <summary>Chooses: labels make it classification, conversations and completions instruction tuning, anything else follows the model's head.</summary>
    /// <param name="path">The data; the first record of a file is looked at.</param>
    /// <param name="head">The head that the checkpoint has; null for none.</param>
    /// <param name="labelColumn">Name of the field with the label.</param>
    /// <exception cref="DataFormatException">The data is malformed, or fits no task of this model.</exception>
    public static TaskChoice Of(string path, ModelTask? head, string labelColumn)
    {
        if (ImageSource.Holds(path))
            return new(KnownObjectives.ImageClassification, "the data is images");
        if (TextFiles.IsPlain(path))
            return Unlabelled(head, "the data is plain text");

        DataRecord first = TextFiles.Records(path).FirstOrDefault() ?? throw new DataFormatException(path, 0, "it has no record; wanted one or more.");
        if (first.Fields.ContainsKey(labelColumn))
            return new(KnownObjectives.Classification, $"the data has the field '{labelColumn}'");
        if (head != ModelTask.SequenceClassification && InstructionTask.Fits(first))
            return new(KnownObjectives.Instruction, "the data has conversations, or prompts with completions");
        return head == ModelTask.SequenceClassification
            ? throw first.Wrong($"the field '{labelColumn}' is missing, and the model is a classifier. If yours has another name, say so with --label-column; to train on text without labels, name another --objective.")
            : Unlabelled(head, $"the data has no field '{labelColumn}'");
    }

    private static TaskChoice Unlabelled(ModelTask? head, string reason) => new(KnownObjectives.CausalLanguageModel, reason);
}
