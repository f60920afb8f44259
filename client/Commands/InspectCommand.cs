using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Client.Inspection;

namespace Federated.Client.Commands;

/// <summary><c>client inspect</c>: what is in a model or adapter folder, and what using and training it takes.</summary>
public static class InspectCommand
{
    private sealed record Settings(string Folder, string? Model, MemoryOptions Memory, bool Json)
    {
        public IReadOnlyList<string> Validate()
        {
            OptionFaults faults = new();
            faults.Folder("FOLDER", Folder);
            if (Model is not null)
                faults.Folder("--model", Model);
            faults.Demand(Memory.Rank is >= 1 and <= 1 << 20, "--rank", Memory.Rank, "1 or more");
            faults.Demand(Memory.BatchSize is >= 1 and <= 1 << 20, "--batch-size", Memory.BatchSize, "1 or more");
            faults.Demand(Memory.MaxTokens is null or >= 1, "--max-tokens", Memory.MaxTokens, "1 or more");
            return faults.Found;
        }
    }

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        MemoryOptions usual = new();
        Argument<string> folder = new("FOLDER") { Description = "Model folder in Hugging Face layout, or adapter folder in PEFT layout." };
        Option<string?> model = new("--model") { Description = "Base model of an adapter, to tell its share." };
        Option<int> rank = new("--rank") { Description = "Rank of LoRA factors in the estimate of memory.", DefaultValueFactory = _ => usual.Rank };
        Option<int> batch = new("--batch-size") { Description = "Rows of a batch in the estimate.", DefaultValueFactory = _ => usual.BatchSize };
        Option<int?> maxTokens = new("--max-tokens") { Description = "Tokens of a row in the estimate. Default: 256, or what the model takes if that is less." };
        Option<bool> json = new("--json") { Description = "Print the result as one line of JSON." };
        Command command = new("inspect",
            """
            Says what is in a model or adapter folder: architecture, parameters by part, element types, files, tokenizer, and an estimate of the memory
            that inference and LoRA training take. Reads headers only, so the size of the model does not matter.

            Examples:
              client inspect models/base
              client inspect adapter --model models/base --json
            """)
        {
            folder, model, rank, batch, maxTokens, json,
        };
        command.SetAction(parsed => CommandErrors.GuardAsync(() => Task.FromResult(Run(new(
            parsed.GetRequiredValue(folder), parsed.GetValue(model), new(parsed.GetValue(rank), parsed.GetValue(batch), parsed.GetValue(maxTokens)), parsed.GetValue(json))))));
        return command;
    }

    private static int Run(Settings settings)
    {
        if (CommandErrors.Report(settings.Validate()) is var code and not ExitCodes.Ok)
            return code;

        if (Inspector.IsAdapter(settings.Folder))
        {
            AdapterReport report = Inspector.Adapter(settings.Folder, settings.Model);
            Print(settings, () => JsonSerializer.Serialize(report, InspectionJson.Default.AdapterReport), Rows(report));
        }
        else
        {
            CheckpointReport report = Inspector.Checkpoint(settings.Folder, settings.Memory);
            Print(settings, () => JsonSerializer.Serialize(report, InspectionJson.Default.CheckpointReport), Rows(report));
        }

        return ExitCodes.Ok;
    }

    private static void Print(Settings settings, Func<string> json, IEnumerable<(string Name, string? Value)> rows)
    {
        if (settings.Json)
        {
            Console.WriteLine(json());
            return;
        }

        foreach ((string name, string? value) in rows)
        {
            if (!string.IsNullOrEmpty(value))
                Console.WriteLine($"{name,-16} {value}");
        }
    }

    private static IEnumerable<(string Name, string? Value)> Rows(CheckpointReport report)
    {
        yield return ("architecture", $"{report.Architecture}, {report.Class}");
        yield return ("task", report.Task?.Replace('_', ' ') ?? "none: a checkpoint without a head");
        yield return ("parameters", Number(report.Parameters));
        foreach ((string part, long count) in report.Parts)
            yield return ("  " + part.Replace('_', '-'), $"{Number(count)} ({Percent(count, report.Parameters)})");
        yield return ("stored as", string.Join(", ", report.StoredBytes.Select(entry => $"{entry.Key} ({Size(entry.Value)})")));
        yield return ("files", string.Join(", ", report.Files.Select(file => $"{file.Key} ({Size(file.Value)})")));
        yield return ("ignored", report.Ignored.Count == 0 ? null : $"{report.Ignored.Count} stored tensors that are no parameters, such as {report.Ignored[0]}");
        yield return ("context", report.ContextLength is { } context ? $"{Number(context)} tokens" : null);
        yield return ("vocabulary", report.VocabularySize is { } size ? Number(size) : null);
        yield return ("labels", report.Labels is { } labels ? string.Join(", ", labels) : null);
        yield return ("tokenizer", Tokenizer(report));
        yield return ("chat template", report.VocabularySize is null ? null : report.ChatTemplate ? "yes" : "no");
        MemoryEstimate memory = report.Memory;
        yield return ("inference", $"about {Size(memory.Inference)}: weights {Size(memory.Weights)}, cache of {Number(memory.MaxTokens)} positions {Size(memory.KeyValueCache)}, program {Size(memory.Program)}");
        yield return ("LoRA training", $"about {Size(memory.LoraTraining)}: weights {Size(memory.Weights)}, {Number(memory.LoraParameters)} factors of rank {memory.Rank} with optimiser {Size(memory.LoraState)}, activations of {memory.BatchSize} x {memory.MaxTokens} {Size(memory.Activations)}, program {Size(memory.Program)}");
    }

    private static IEnumerable<(string Name, string? Value)> Rows(AdapterReport report)
    {
        yield return ("adapter", report.PeftType);
        yield return ("task", report.TaskType);
        yield return ("base model", report.BaseModel);
        yield return ("target modules", string.Join(", ", report.TargetModules));
        yield return ("saved whole", string.Join(", ", report.ModulesToSave));
        yield return ("ranks", string.Join(", ", report.Ranks));
        yield return ("modules", Number(report.Modules));
        yield return ("parameters", Number(report.Parameters));
        yield return ("share of model", report.ShareOfModel is { } share ? share.ToString("0.####%", CultureInfo.InvariantCulture) : null);
        yield return ("stored as", string.Join(", ", report.StoredBytes.Select(entry => $"{entry.Key} ({Size(entry.Value)})")));
    }

    private static string? Tokenizer(CheckpointReport report) => report switch
    {
        { VocabularySize: null } => null,
        { Tokenizer: null } => "none",
        { Tokenizer.Problem: { } problem } => $"unusable: {problem}",
        _ => $"{report.Tokenizer.Kind}, {Number(report.Tokenizer.VocabularySize!.Value)} tokens",
    };

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(long part, long all) => ((double)part / all).ToString("0.0%", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes < 1 << 20
        ? $"{Number(bytes)} bytes"
        : bytes < 1L << 30 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB") : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.00} GiB");
}
