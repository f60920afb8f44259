using Federated.Client.ChatTemplates;
using Federated.Client.Data;
using Federated.Client.Data.Images;
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

    /// <summary>The kind of task as PEFT's <c>adapter_config.json</c> names it; null where PEFT has no name for it.</summary>
    string? PeftType { get; }

    /// <summary>What training lowers.</summary>
    IObjective Objective { get; }

    /// <summary>Reads the examples of a file, or of a folder of images.</summary>
    /// <exception cref="DataFormatException">The file is malformed, or has no example to train on.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; checked before each example.</exception>
    TaskData Read(TaskSource source, CancellationToken cancellation);

    /// <summary>Measures a model on examples.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; checked before each batch.</exception>
    EvaluationReport Evaluate(PretrainedModel model, IEnumerable<TrainingBatch> batches, CancellationToken cancellation);
}

/// <summary>Where examples come from and how they are made into what a model reads.</summary>
public sealed record TaskSource
{
    private readonly ITokenizer? _tokenizer;
    private readonly ImagePreprocessor? _images;

    /// <summary>The file, or a folder of images.</summary>
    public required string Path { get; init; }

    /// <summary>The base model's tokenizer, for a task on text.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public ITokenizer Tokenizer
    {
        get => _tokenizer ?? throw new InvalidOperationException("A task on text needs a tokenizer.");
        init => _tokenizer = value;
    }

    /// <summary>Makes images into what the base model reads, for a task on images.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public ImagePreprocessor Images
    {
        get => _images ?? throw new InvalidOperationException("A task on images needs a preprocessor.");
        init => _images = value;
    }

    /// <summary>Class names in the order of the head's outputs; empty for a language model.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Longest row in tokens, special ones included; at least 2. Of images: the positions that the model makes of each.</summary>
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
