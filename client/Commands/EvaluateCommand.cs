using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training;
using Spectre.Console;
using TorchSharp;

namespace Federated.Client.Commands;

/// <summary><c>client evaluate</c>: accuracy, F1 and loss of adapters on labelled texts.</summary>
public static class EvaluateCommand
{
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
        command.SetAction((parsed, cancellation) => CommandErrors.GuardAsync(() =>
        {
            torch.set_num_threads(parsed.GetValue(threads));
            EvaluationOutput output = Evaluate(
                parsed.GetRequiredValue(model), parsed.GetRequiredValue(data), parsed.GetRequiredValue(labels).Split(',', StringSplitOptions.TrimEntries),
                parsed.GetValue(adapters) ?? [], parsed.GetValue(maxTokens), cancellation);
            Print(output, parsed.GetValue(json));
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    private static EvaluationOutput Evaluate(
        string folder, string file, string[] labels, string[] adapters, int maxTokens, CancellationToken cancellation)
    {
        using PretrainedModel model = PretrainedModel.Load(folder, new() { Task = ModelTask.SequenceClassification, Labels = labels });
        ClassificationData data = ClassificationData.Read(file, TokenizerFolder.Read(folder), new(labels), maxTokens, holdoutShare: 0);
        List<AdapterScore> scores = [];
        if (adapters.Length == 0)
            scores.Add(Score(null));
        foreach (string adapter in adapters)
        {
            using AdaptedModel adapted = AdaptedModel.Load(model, adapter);
            scores.Add(Score(adapter));
        }

        return new(data.TrainingExamples, scores);

        AdapterScore Score(string? adapter)
        {
            ClassificationReport report = Evaluator.Classification(model, data.All(), cancellation);
            return new(adapter, report.Loss, report.Accuracy, labels.Length == 2 ? report.F1(1) : report.MacroF1);
        }
    }

    private static void Print(EvaluationOutput output, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(output, CommandJson.Default.EvaluationOutput));
            return;
        }

        Table table = new Table().Border(AnsiConsole.Profile.Capabilities.Interactive ? TableBorder.Rounded : TableBorder.Ascii)
            .Title(new TableTitle($"{output.Examples} examples", Style.Plain)).AddColumns("adapter", "accuracy", "F1", "loss");
        foreach (AdapterScore score in output.Results)
        {
            table.AddRow(
                Markup.Escape(score.Adapter ?? "(none)"), Text(100 * score.Accuracy, "0.0") + " %", Text(100 * score.F1, "0.0") + " %", Text(score.Loss, "0.000"));
        }

        AnsiConsole.Write(table);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
