using System.CommandLine;
using System.Globalization;
using Federated.Shared.Tensors;
using Federated.Simulations.Reports;
using Spectre.Console;

namespace Federated.Simulations.Pretraining;

/// <summary><c>simulations pretrain</c>.</summary>
public static class PretrainCommand
{
    private const int BadData = 65, BadOptions = 78, Interrupted = 130;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        PretrainingOptions defaults = new() { Sotu = "artifacts/data/sotu.jsonl", Mail = "simulations/data/spamassassin.jsonl.br", Output = "artifacts/base" };
        Option<string> sotu = new("--sotu") { Description = "Addresses, as eng/prepare-sotu.sh writes them.", DefaultValueFactory = _ => defaults.Sotu };
        Option<string> mail = new("--mail") { Description = "Mail corpus; only its pretraining split is used.", DefaultValueFactory = _ => defaults.Mail };
        Option<string> output = new("--out") { Description = "Model folder; checkpoints go beside it.", DefaultValueFactory = _ => defaults.Output };
        Option<int> repeats = Number("--mail-repeats", "How often each training mail stands in the text.", defaults.MailRepeats);
        Option<int> vocabulary = Number("--vocabulary", "Tokens of the vocabulary.", defaults.Vocabulary);
        Option<int> hidden = Number("--hidden", "Width of the hidden states.", defaults.Hidden);
        Option<int> layers = Number("--layers", "Blocks.", defaults.Layers);
        Option<int> heads = Number("--heads", "Query heads.", defaults.Heads);
        Option<int> keyValueHeads = Number("--kv-heads", "Key and value heads.", defaults.KeyValueHeads);
        Option<int> intermediate = Number("--intermediate", "Width of the feed-forward layer.", defaults.Intermediate);
        Option<int> context = Number("--context", "Longest passage in tokens.", defaults.Context);
        Option<double> summary = new("--summary-weight") { Description = "Weight of a token that a passage's end is to name, beside a next token; 0 for none.", DefaultValueFactory = _ => defaults.SummaryWeight };
        Option<int> batch = Number("--batch-size", "Passages of a step.", defaults.BatchSize);
        Option<int> steps = Number("--steps", "Optimiser steps; 0 writes the untrained model.", defaults.Steps);
        Option<double> rate = new("--learning-rate") { Description = "Peak learning rate.", DefaultValueFactory = _ => defaults.LearningRate };
        Option<int> seed = Number("--seed", "Seed of weights and batches.", defaults.Seed);
        Option<int> threads = Number("--threads", "Threads.", defaults.Threads);
        Option<int> every = Number("--checkpoint-every", "Steps between two checkpoints.", defaults.CheckpointEvery);
        Command command = new("pretrain",
            """
            Pretrains a small Llama on public text. Started again, it goes on from its newest checkpoint.

            Example:
              eng/prepare-sotu.sh && simulations pretrain --out artifacts/base
            """)
        {
            sotu, mail, output, repeats, vocabulary, hidden, layers, heads, keyValueHeads, intermediate, context, summary, batch, steps, rate, seed, threads, every,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(
            new PretrainingOptions
            {
                Sotu = parsed.GetRequiredValue(sotu),
                Mail = parsed.GetRequiredValue(mail),
                Output = parsed.GetRequiredValue(output),
                MailRepeats = parsed.GetValue(repeats),
                Vocabulary = parsed.GetValue(vocabulary),
                Hidden = parsed.GetValue(hidden),
                Layers = parsed.GetValue(layers),
                Heads = parsed.GetValue(heads),
                KeyValueHeads = parsed.GetValue(keyValueHeads),
                Intermediate = parsed.GetValue(intermediate),
                Context = parsed.GetValue(context),
                SummaryWeight = parsed.GetValue(summary),
                BatchSize = parsed.GetValue(batch),
                Steps = parsed.GetValue(steps),
                LearningRate = parsed.GetValue(rate),
                Seed = parsed.GetValue(seed),
                Threads = parsed.GetValue(threads),
                CheckpointEvery = parsed.GetValue(every),
            },
            cancellation)));
        return command;
    }

    private static int Run(PretrainingOptions options, CancellationToken cancellation)
    {
        foreach (string error in options.Validate())
            Console.Error.WriteLine($"error: {error}");
        if (options.Validate().Count > 0)
            return BadOptions;

        try
        {
            PretrainingResult result = AnsiConsole.Profile.Capabilities.Interactive ? RunWithBar(options, cancellation) : RunWithLines(options, cancellation);
            string curve = options.Output.TrimEnd('/', '\\') + ".curve.svg";
            if (result.Curve.Count > 0)
                File.WriteAllText(curve, Curve(result));
            Print(result);
            return 0;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("stopped; the same command goes on from the newest checkpoint");
            return Interrupted;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or TensorFormatException)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return BadData;
        }
    }

    private static PretrainingResult RunWithBar(PretrainingOptions options, CancellationToken cancellation) => AnsiConsole.Progress()
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .Start(progress =>
        {
            ProgressTask bar = progress.AddTask("pretraining", maxValue: options.Steps);
            return new Pretrainer(options, TimeProvider.System).Run(
                step =>
                {
                    bar.Value = step.Step;
                    bar.Description = Markup.Escape(Line(step));
                },
                cancellation);
        });

    private static PretrainingResult RunWithLines(PretrainingOptions options, CancellationToken cancellation) =>
        new Pretrainer(options, TimeProvider.System).Run(
            step =>
            {
                if (step.Step % 20 == 0 || step.Step == step.Steps)
                    Console.WriteLine(Line(step));
            },
            cancellation);

    private static string Line(PretrainingProgress step) => string.Create(CultureInfo.InvariantCulture,
        $"step {step.Step}/{step.Steps}, loss {step.Loss:0.000}, {step.TokensPerSecond:0} tokens/s")
        + (step.Newest is { } point ? string.Create(CultureInfo.InvariantCulture, $", held-out perplexity {point.SpeechPerplexity:0.0} speeches, {point.MailPerplexity:0.0} mail") : "");

    private static string Curve(PretrainingResult result) => LineChart.Draw(
        "Held-out perplexity", "step",
        [
            new("speeches", [.. result.Curve.Select(point => ((double)point.Step, point.SpeechPerplexity))]),
            new("mail", [.. result.Curve.Select(point => ((double)point.Step, point.MailPerplexity))]),
        ]);

    private static void Print(PretrainingResult result) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"""
        {result.Parameters:N0} parameters, {result.TrainingTokens:N0} training tokens, {result.TrainingSeconds:0} s of training
        held-out perplexity, speeches: {result.SpeechPerplexity:0.00} (bigram model {result.BigramSpeechPerplexity:0.00})
        held-out perplexity, mail:     {result.MailPerplexity:0.00} (bigram model {result.BigramMailPerplexity:0.00})
        """));

    private static Option<int> Number(string name, string description, int value) => new(name) { Description = description, DefaultValueFactory = _ => value };
}
