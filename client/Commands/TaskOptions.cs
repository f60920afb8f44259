using System.CommandLine;
using Federated.Client.Data.Images;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training.Objectives;
using Federated.Client.Training.Tasks;

namespace Federated.Client.Commands;

/// <summary>The options about model, data and task that <c>train</c> and <c>evaluate</c> share.</summary>
internal sealed class TaskOptions
{
    private readonly Option<string> _model = new("--model") { Description = "Base model folder in Hugging Face layout.", Required = true };
    private readonly Option<string> _data = new("--data") { Description = "JSONL, CSV or plain text (.txt), as it is or compressed (.gz, .br); a folder of PNG and JPEG images by class, or an IDX file of images.", Required = true };
    private readonly Option<string?> _objective = new("--objective")
    {
        Description = $"{string.Join(", ", TrainingTasks.Names)}. Default: what model and data suggest.",
    };
    private readonly Option<string?> _labels = new("--labels")
    {
        Description = "Class names, comma-separated, in the order of the head's outputs. Default: those of the model's config.json, or else those in the data.",
    };
    private readonly Option<string?> _text = new("--text-column") { Description = "Field with the text. Default: text, or the names of the GLUE tasks." };
    private readonly Option<string?> _pair = new("--pair-column") { Description = "Field with the second text of a pair. Default: text_pair, or the names of the GLUE tasks." };
    private readonly Option<string> _label = new("--label-column") { Description = "Field with the label.", DefaultValueFactory = _ => "label" };
    private readonly Option<string?> _template = new("--chat-template") { Description = "For data with 'messages': chatml, or a file with a Jinja template. Default: the model's own." };
    private readonly Option<int?> _maxTokens = new("--max-tokens") { Description = "Longest row in tokens. Default: 256, or what the model takes if that is less." };
    private readonly Option<int> _threads = new("--threads") { Description = "Threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
    private readonly Option<bool> _json = new("--json") { Description = "Print the result as one line of JSON." };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_model, _data, _objective, _labels, _text, _pair, _label, _template, _maxTokens, _threads, _json])
            command.Options.Add(option);
    }

    /// <summary>The values of a command line.</summary>
    public TaskSettings Parse(ParseResult parsed) => new()
    {
        Model = parsed.GetRequiredValue(_model),
        Data = parsed.GetRequiredValue(_data),
        Objective = parsed.GetValue(_objective),
        Labels = parsed.GetValue(_labels)?.Split(',', StringSplitOptions.TrimEntries),
        TextColumn = parsed.GetValue(_text),
        PairColumn = parsed.GetValue(_pair),
        LabelColumn = parsed.GetRequiredValue(_label),
        ChatTemplate = parsed.GetValue(_template),
        MaxTokens = parsed.GetValue(_maxTokens),
        Threads = parsed.GetValue(_threads),
        Json = parsed.GetValue(_json),
    };
}

/// <summary>Model, data and task as a command line names them.</summary>
internal sealed record TaskSettings
{
    private const int UsualTokens = 256;

    public required string Model { get; init; }
    public required string Data { get; init; }
    public string? Objective { get; init; }
    public string[]? Labels { get; init; }
    public string? TextColumn { get; init; }
    public string? PairColumn { get; init; }
    public string LabelColumn { get; init; } = "label";
    public string? ChatTemplate { get; init; }
    public int? MaxTokens { get; init; }
    public int Threads { get; init; } = 1;
    public bool Json { get; init; }

    /// <summary>Adds what is wrong with the values.</summary>
    public void Validate(OptionFaults faults)
    {
        faults.Folder("--model", Model);
        faults.Data("--data", Data);
        faults.Demand(Objective is null || TrainingTasks.Names.Contains(Objective, StringComparer.Ordinal), "--objective", Objective, $"one of {string.Join(", ", TrainingTasks.Names)}");
        if (Labels is { } labels)
        {
            faults.Labels(labels);
            faults.Demand(Objective is null or KnownObjectives.Classification or KnownObjectives.ImageClassification, "--labels", string.Join(',', labels), $"no labels for the objective {Objective}");
        }

        faults.Demand(MaxTokens is null or >= 2, "--max-tokens", MaxTokens, "2 or more");
        faults.Demand(Threads >= 1, "--threads", Threads, "1 or more");
    }

    /// <summary>Decides what is left open, by the model's configuration and the data.</summary>
    /// <param name="holdoutShare">Share of the data held out.</param>
    /// <param name="by">Field that groups the data; null for none.</param>
    public ChosenTask Choose(double holdoutShare, string? by)
    {
        (ModelConfig config, bool hasHead) = CheckpointReader.Describe(Model);
        TaskChoice choice = Objective is { } named ? new(named, "as asked") : TaskChoice.Of(Data, hasHead ? config.Task : null, LabelColumn);
        ITrainingTask task = TrainingTasks.Of(choice.Name);
        if (Labels is not null && task.Head is not (ModelTask.SequenceClassification or ModelTask.ImageClassification))
            throw new InvalidDataException($"--labels are given, but the objective is {task.Name}, since {choice.Reason}. Leave them out, or add --objective {KnownObjectives.Classification} and the field of the label, --label-column.");

        TaskSource source = task.Head == ModelTask.ImageClassification ? ImagesOf(config) : TextOf(config, task);
        source = source with { HoldoutShare = holdoutShare, By = by, LabelColumn = LabelColumn };
        if (task.Head is ModelTask.SequenceClassification or ModelTask.ImageClassification)
            source = source with { Labels = Labels ?? LabelNames.Find(hasHead && config.IsClassifier ? config.Labels : [], source, task.Head) };
        return new(task, choice.Reason, source);
    }

    private TaskSource ImagesOf(ModelConfig config)
    {
        if (config is not ImageModelConfig images)
            throw new InvalidDataException($"{Model} is a {config.ClassName}, which reads text; wanted a model that reads images, such as a ViTForImageClassification.");
        return ImageSource.Holds(Data)
            ? new() { Path = Data, Images = ImagePreprocessor.Read(Model, images.Image), MaxTokens = images.Image.Patches + 1 }
            : throw new InvalidDataException($"{Data} is no folder of images and no IDX file, which a {config.ClassName} reads.");
    }

    private TaskSource TextOf(ModelConfig config, ITrainingTask task)
    {
        int longest = (config as TextModelConfig ?? throw new InvalidDataException($"{Model} is a {config.ClassName}, which reads images; wanted a text model.")).MaxPositions;
        if (MaxTokens > longest)
            throw new InvalidDataException($"--max-tokens is {MaxTokens}; the model takes at most {longest}.");

        ITokenizer tokenizer = TokenizerFolder.Read(Model);
        return new()
        {
            Path = Data,
            Tokenizer = tokenizer,
            MaxTokens = RequireRoom(tokenizer, MaxTokens ?? Math.Min(UsualTokens, longest)),
            TextColumn = TextColumn,
            PairColumn = PairColumn,
            ChatTemplate = task is InstructionTask ? ChatTemplates.ChatTemplate.Read(Model, ChatTemplate) : null,
        };
    }

    private static int RequireRoom(ITokenizer tokenizer, int maxTokens)
    {
        int special = tokenizer.Template.SpecialCount(pair: true) + 1;
        return maxTokens > special ? maxTokens : throw new InvalidDataException($"--max-tokens is {maxTokens}; {special} are taken by special tokens. Wanted more.");
    }
}

/// <summary>What a command works on.</summary>
/// <param name="Task">The task.</param>
/// <param name="Reason">Why this one.</param>
/// <param name="Source">The data, with all that the task asks for.</param>
internal sealed record ChosenTask(ITrainingTask Task, string Reason, TaskSource Source)
{
    /// <summary>How to load the base model for it.</summary>
    public ModelLoadOptions LoadOptions(ulong headSeed = 0) => new() { Task = Task.Head, Labels = Source.Labels is { Count: > 0 } labels ? labels : null, HeadSeed = headSeed };
}
