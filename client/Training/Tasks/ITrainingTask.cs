using Federated.Client.ChatTemplates;
using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Training.Objectives;

namespace Federated.Client.Training.Tasks;

/// <summary>A kind of training that a plan or a command line asks for by name: which model it needs, what its data looks like, what is lowered.</summary>
public interface ITrainingTask
{
    /// <summary>The name a plan or a command line chooses it by.</summary>
    string Name { get; }

    /// <summary>The head that the model needs.</summary>
    ModelTask Head { get; }

    /// <summary>The kind of task as PEFT's <c>adapter_config.json</c> names it.</summary>
    string PeftType { get; }

    /// <summary>What training lowers.</summary>
    IObjective Objective { get; }

    /// <summary>Reads a file of examples.</summary>
    /// <exception cref="DataFormatException">The file is malformed, or has no example to train on.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; checked before each example.</exception>
    TaskData Read(TaskSource source, CancellationToken cancellation);

    /// <summary>Measures a model on examples.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; checked before each batch.</exception>
    EvaluationReport Evaluate(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation);
}

/// <summary>Where examples come from and how they are made into tokens.</summary>
public sealed record TaskSource
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>The base model's tokenizer.</summary>
    public required ITokenizer Tokenizer { get; init; }

    /// <summary>Class names in the order of the head's outputs; empty for a language model.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Longest row in tokens, special ones included; at least 2.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Share held out, in [0, 0.5]; the same examples in every round and run.</summary>
    public double HoldoutShare { get; init; }

    /// <summary>How the model wants a conversation written; null where it has no template.</summary>
    public ChatTemplate? ChatTemplate { get; init; }

    /// <summary>The field whose values group the examples; null for one group.</summary>
    public string? By { get; init; }

    /// <summary>Name of the field with the text; null for the usual ones.</summary>
    public string? TextColumn { get; init; }

    /// <summary>Name of the field with the second text of a pair; null for the usual ones.</summary>
    public string? PairColumn { get; init; }

    /// <summary>Name of the field with the label.</summary>
    public string LabelColumn { get; init; } = "label";

    /// <summary>How labelled texts and pairs are read.</summary>
    internal TextFileOptions TextOptions => new() { TextColumn = TextColumn, PairColumn = PairColumn, LabelColumn = LabelColumn, Pairs = true };
}
