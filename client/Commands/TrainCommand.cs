using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Client.Training.Tasks;
using Federated.Shared.Peft;
using Spectre.Console;
using TorchSharp;

namespace Federated.Client.Commands;

/// <summary><c>client train</c>: the agent's training without a coordinator, on one file.</summary>
public static class TrainCommand
{
    private sealed record Settings
    {
        public required string Model { get; init; }
        public required string Data { get; init; }
        public required string Output { get; init; }
        public required string[] Labels { get; init; }
        public required string? Initial { get; init; }
        public required int Rank { get; init; }
        public required double Alpha { get; init; }
        public required string[] Targets { get; init; }
        public required int MaxTokens { get; init; }
        public required int BatchSize { get; init; }
        public required double HoldoutShare { get; init; }
        public required int Threads { get; init; }
        public required bool Json { get; init; }
        public required double ClipNorm { get; init; }
        public required TrainingOptions Training { get; init; }

        public IReadOnlyList<string> Validate()
        {
            OptionFaults faults = new();
            faults.Folder("--model", Model);
            faults.File("--data", Data);
            if (Initial is not null)
                faults.Folder("--init", Initial);
            faults.Labels(Labels);
            faults.Demand(Rank >= 1, "--rank", Rank, "1 or more");
            faults.Demand(double.IsFinite(Alpha) && Alpha > 0, "--alpha", Alpha, "a positive number");
            faults.Demand(Targets.Length > 0 && !Targets.Contains(""), "--target-modules", string.Join(',', Targets), "a list of names");
            faults.Demand(MaxTokens >= 2, "--max-tokens", MaxTokens, "2 or more");
            faults.Demand(BatchSize >= 1, "--batch-size", BatchSize, "1 or more");
            faults.Demand(HoldoutShare is >= 0 and <= 0.5, "--holdout-share", HoldoutShare, "0 to 0.5");
            faults.Demand(Threads >= 1, "--threads", Threads, "1 or more");
            faults.Demand(Training.Steps >= 1, "--steps", Training.Steps, "1 or more");
            faults.Demand(double.IsFinite(Training.LearningRate) && Training.LearningRate > 0, "--learning-rate", Training.LearningRate, "a positive number");
            faults.Demand(Training.WarmupSteps >= 0 && Training.WarmupSteps <= Training.Steps, "--warmup-steps", Training.WarmupSteps, "0 to the number of steps");
            faults.Demand(LearningRateSchedules.Names.Contains(Training.Schedule), "--schedule", Training.Schedule, string.Join(" or ", LearningRateSchedules.Names));
            faults.Demand(double.IsFinite(Training.WeightDecay) && Training.WeightDecay >= 0, "--weight-decay", Training.WeightDecay, "0 or more");
            faults.Demand(double.IsFinite(ClipNorm) && ClipNorm >= 0, "--clip-norm", ClipNorm, "0 or more");
            return faults.Found;
        }
    }

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Base model folder in Hugging Face layout.", Required = true };
        Option<string> data = new("--data") { Description = "JSONL or CSV with 'text' and 'label'.", Required = true };
        Option<string> output = new("--out") { Description = "Folder for the adapter, in PEFT layout.", Required = true };
        Option<string> labels = new("--labels") { Description = "Class names, comma-separated, in the order of the head's outputs.", Required = true };
        Option<string?> initial = new("--init") { Description = "Adapter folder to start from; its configuration is used." };
        Option<int> rank = new("--rank") { Description = "Rank of the LoRA factors.", DefaultValueFactory = _ => 8 };
        Option<double> alpha = new("--alpha") { Description = "Numerator of the scaling alpha / rank.", DefaultValueFactory = _ => 16 };
        Option<string> targets = new("--target-modules") { Description = "Layers that get factors, comma-separated.", DefaultValueFactory = _ => "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj" };
        Option<int> steps = new("--steps") { Description = "Optimiser steps.", DefaultValueFactory = _ => 200 };
        Option<int> batch = new("--batch-size") { Description = "Examples in a batch.", DefaultValueFactory = _ => 16 };
        Option<int> maxTokens = new("--max-tokens") { Description = "Tokens an example is cut to.", DefaultValueFactory = _ => 256 };
        Option<double> rate = new("--learning-rate") { Description = "Peak learning rate.", DefaultValueFactory = _ => 2e-3 };
        Option<int> warmup = new("--warmup-steps") { Description = "Steps of linear warm-up.", DefaultValueFactory = _ => 10 };
        Option<string> schedule = new("--schedule") { Description = "cosine, linear or constant.", DefaultValueFactory = _ => LearningRateSchedules.Cosine };
        Option<double> decay = new("--weight-decay") { Description = "Weight decay of AdamW." };
        Option<double> clip = new("--clip-norm") { Description = "Clip the gradient norm to this; 0 for none.", DefaultValueFactory = _ => 1 };
        Option<double> holdout = new("--holdout-share") { Description = "Share of the examples held out.", DefaultValueFactory = _ => 0.1 };
        Option<long> seed = new("--seed") { Description = "Seed of batches and dropout.", DefaultValueFactory = _ => 1 };
        Option<int> threads = new("--threads") { Description = "Threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<bool> json = new("--json") { Description = "Print the result as one line of JSON." };
        Command command = new("train",
            """
            Fine-tunes a LoRA adapter for text classification on this machine's data, without a coordinator.

            Example:
              client train --model models/base --data mail.jsonl --labels ham,spam --steps 200 --out adapter
            """)
        {
            model, data, output, labels, initial, rank, alpha, targets, steps, batch, maxTokens, rate, warmup, schedule, decay, clip, holdout, seed, threads, json,
        };
        command.SetAction((parsed, cancellation) => CommandErrors.GuardAsync(() => Task.FromResult(Run(
            new Settings
            {
                Model = parsed.GetRequiredValue(model),
                Data = parsed.GetRequiredValue(data),
                Output = parsed.GetRequiredValue(output),
                Labels = parsed.GetRequiredValue(labels).Split(',', StringSplitOptions.TrimEntries),
                Initial = parsed.GetValue(initial),
                Rank = parsed.GetValue(rank),
                Alpha = parsed.GetValue(alpha),
                Targets = parsed.GetRequiredValue(targets).Split(',', StringSplitOptions.TrimEntries),
                MaxTokens = parsed.GetValue(maxTokens),
                BatchSize = parsed.GetValue(batch),
                HoldoutShare = parsed.GetValue(holdout),
                Threads = parsed.GetValue(threads),
                Json = parsed.GetValue(json),
                ClipNorm = parsed.GetValue(clip),
                Training = new()
                {
                    Steps = parsed.GetValue(steps),
                    LearningRate = parsed.GetValue(rate),
                    WarmupSteps = parsed.GetValue(warmup),
                    Schedule = parsed.GetRequiredValue(schedule),
                    WeightDecay = parsed.GetValue(decay),
                    ClipNorm = parsed.GetValue(clip) is > 0 and double norm ? norm : null,
                    Seed = parsed.GetValue(seed),
                },
            },
            cancellation))));
        return command;
    }

    private static int Run(Settings settings, CancellationToken cancellation)
    {
        if (CommandErrors.Report(settings.Validate()) is var code and not ExitCodes.Ok)
            return code;

        torch.set_num_threads(settings.Threads);
        using PretrainedModel model = PretrainedModel.Load(
            settings.Model, new() { Task = ModelTask.SequenceClassification, Labels = settings.Labels, HeadSeed = (ulong)settings.Training.Seed });
        TaskSource source = new()
        {
            Path = settings.Data,
            Tokenizer = TokenizerFolder.Read(settings.Model),
            Labels = settings.Labels,
            MaxTokens = settings.MaxTokens,
            HoldoutShare = settings.HoldoutShare,
        };
        TaskData data = new ClassificationTask().Read(source, cancellation);
        using AdaptedModel adapted = settings.Initial is { } initial
            ? AdaptedModel.Load(model, initial)
            : AdaptedModel.Attach(model, Config(settings), (ulong)settings.Training.Seed);
        LocalTrainer trainer = new(adapted, new ClassificationObjective(), settings.Training);
        IEnumerable<TrainingBatch> batches = data.Training(settings.BatchSize, (ulong)settings.Training.Seed);
        TrainingSummary summary = settings.Json || !AnsiConsole.Profile.Capabilities.Interactive
            ? trainer.Run(batches, settings.Json ? null : step => PrintStep(step, settings.Training.Steps), cancellation)
            : RunWithBar(trainer, batches, settings.Training.Steps, cancellation);
        ClassificationReport? holdout = data.HoldoutExamples == 0 ? null : Evaluator.Classification(model, data.Holdout(), cancellation);
        adapted.Save(settings.Output);
        Print(settings, summary, holdout);
        return ExitCodes.Ok;
    }

    private static LoraConfig Config(Settings settings) => new()
    {
        Rank = settings.Rank,
        Alpha = settings.Alpha,
        TargetModules = ModuleSelector.OfNames(settings.Targets),
        BaseModelNameOrPath = settings.Model,
        ModulesToSave = ["score"],
        TaskType = "SEQ_CLS",
    };

    private static TrainingSummary RunWithBar(LocalTrainer trainer, IEnumerable<TrainingBatch> batches, int steps, CancellationToken cancellation) =>
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(progress =>
            {
                ProgressTask bar = progress.AddTask("training", maxValue: steps);
                return trainer.Run(
                    batches,
                    step =>
                    {
                        bar.Value = step.Step;
                        bar.Description = Markup.Escape(Line(step, steps));
                    },
                    cancellation);
            });

    private static void PrintStep(StepReport step, int steps)
    {
        if (step.Step % 10 == 0 || step.Step == steps)
            Console.WriteLine(Line(step, steps));
    }

    private static string Line(StepReport step, int steps) => string.Create(CultureInfo.InvariantCulture,
        $"step {step.Step}/{steps}, loss {step.Loss:0.000}, {step.TokensPerSecond:0} tokens/s");

    private static void Print(Settings settings, TrainingSummary summary, ClassificationReport? holdout)
    {
        if (settings.Json)
        {
            TrainingOutput output = new(
                settings.Output, summary.Steps, summary.MeanLoss, summary.Tokens, summary.Elapsed.TotalSeconds,
                holdout?.Examples ?? 0, holdout?.Loss, holdout?.Accuracy);
            Console.WriteLine(JsonSerializer.Serialize(output, CommandJson.Default.TrainingOutput));
            return;
        }

        if (holdout is not null)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"hold-out of {holdout.Examples}: accuracy {100 * holdout.Accuracy:0.0} %, loss {holdout.Loss:0.000}"));
        Console.WriteLine($"adapter: {settings.Output}");
    }
}
