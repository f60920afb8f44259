using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training;
using Federated.Client.Training.Tasks;
using Spectre.Console;
using TorchSharp;

namespace Federated.Client.Commands;

/// <summary><c>client evaluate</c>: accuracy, F1 and loss of adapters on labelled texts.</summary>
public static class EvaluateCommand
{
    private sealed record Settings(string Model, string Data, string[] Labels, string[] Adapters, int MaxTokens, int Threads, bool Json)
    {
        public IReadOnlyList<string> Validate()
        {
            OptionFaults faults = new();
            faults.Folder("--model", Model);
            faults.File("--data", Data);
            faults.Labels(Labels);
            foreach (string adapter in Adapters)
                faults.Folder("--adapter", adapter);
            faults.Demand(MaxTokens >= 2, "--max-tokens", MaxTokens, "2 or more");
            faults.Demand(Threads >= 1, "--threads", Threads, "1 or more");
            return faults.Found;
        }
    }

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Base model folder in Hugging Face layout.", Required = true };
        Option<string> data = new("--data") { Description = "JSONL or CSV with 'text' and 'label'.", Required = true };
        Option<string> labels = new("--labels") { Description = "Class names, comma-separated, in the order of the head's outputs.", Required = true };
        Option<string[]> adapters = new("--adapter") { Description = "Adapter folder in PEFT layout; may be repeated. Default: the model alone." };
        Option<int> maxTokens = new("--max-tokens") { Description = "Tokens an example is cut to.", DefaultValueFactory = _ => 256 };
        Option<int> threads = new("--threads") { Description = "Threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<bool> json = new("--json") { Description = "Print the result as one line of JSON." };
        Command command = new("evaluate",
            """
            Scores a classifier on labelled texts, with one adapter after the other.

            Example:
              client evaluate --model models/base --adapter adapter --data test.jsonl --labels ham,spam
            """)
        {
            model, data, labels, adapters, maxTokens, threads, json,
        };
        command.SetAction((parsed, cancellation) => CommandErrors.GuardAsync(() => Task.FromResult(Run(
            new Settings(
                parsed.GetRequiredValue(model), parsed.GetRequiredValue(data), parsed.GetRequiredValue(labels).Split(',', StringSplitOptions.TrimEntries),
                parsed.GetValue(adapters) ?? [], parsed.GetValue(maxTokens), parsed.GetValue(threads), parsed.GetValue(json)),
            cancellation))));
        return command;
    }

    private static int Run(Settings settings, CancellationToken cancellation)
    {
        if (CommandErrors.Report(settings.Validate()) is var code and not ExitCodes.Ok)
            return code;

        torch.set_num_threads(settings.Threads);
        Print(Evaluate(settings, cancellation), settings.Json);
        return ExitCodes.Ok;
    }

    private static EvaluationOutput Evaluate(Settings settings, CancellationToken cancellation)
    {
        TaskSource source = new() { Path = settings.Data, Tokenizer = TokenizerFolder.Read(settings.Model), Labels = settings.Labels, MaxTokens = settings.MaxTokens };
        TaskData data = new ClassificationTask().Read(source, cancellation);
        string?[] adapters = settings.Adapters.Length == 0 ? (string?[])[null] : settings.Adapters;
        return new(data.TrainingExamples, [.. adapters.Select(adapter => Score(settings, data, adapter, cancellation))]);
    }

    private static AdapterScore Score(Settings settings, TaskData data, string? adapter, CancellationToken cancellation)
    {
        // Loaded anew each time: an adapter overwrites the modules it saves whole, and the next one may lack them.
        using PretrainedModel model = PretrainedModel.Load(settings.Model, new() { Task = ModelTask.SequenceClassification, Labels = settings.Labels });
        using AdaptedModel? adapted = adapter is null ? null : AdaptedModel.Load(model, adapter);
        ClassificationReport report = Evaluator.Classification(model, data.All(), cancellation);
        return new(adapter, report.Loss, report.Accuracy, settings.Labels.Length == 2 ? report.F1(1) : report.MacroF1);
    }

    private static void Print(EvaluationOutput output, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(output, CommandJson.Default.EvaluationOutput));
            return;
        }

        // A console of its own: the library's keeps the writer that it met first.
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        Table table = new Table().Border(console.Profile.Capabilities.Interactive ? TableBorder.Rounded : TableBorder.Ascii)
            .Title(new TableTitle($"{output.Examples} examples", Style.Plain)).AddColumns("adapter", "accuracy", "F1", "loss");
        foreach (AdapterScore score in output.Results)
        {
            table.AddRow(
                Markup.Escape(score.Adapter ?? "(none)"), Text(100 * score.Accuracy, "0.0") + " %", Text(100 * score.F1, "0.0") + " %", Text(score.Loss, "0.000"));
        }

        console.Write(table);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
