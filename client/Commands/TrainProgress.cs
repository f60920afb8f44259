using System.Globalization;
using Federated.Client.Models;
using Federated.Client.Training;
using Spectre.Console;

namespace Federated.Client.Commands;

/// <summary>What <c>client train</c> shows to people: a bar where there is a terminal, lines where there is none, nothing beside JSON.</summary>
internal sealed class TrainProgress(TrainSettings settings)
{
    private readonly int _steps = settings.Training.Steps;
    private string _unit = "tokens";

    /// <summary>Says what is trained.</summary>
    public void Begin(ChosenTask chosen)
    {
        _unit = chosen.Task.Head == ModelTask.ImageClassification ? "images" : "tokens";
        if (!settings.Task.Json)
            Console.WriteLine($"objective: {chosen.Task.Name} ({chosen.Reason})");
    }

    /// <summary>Runs a training while showing its steps.</summary>
    /// <param name="train">Trains, reporting each step to what it is given.</param>
    /// <param name="afterStep">Called after each step as well.</param>
    public TrainingSummary Run(Func<Action<StepReport>, TrainingSummary> train, Action<StepReport> afterStep)
    {
        if (settings.Task.Json)
            return train(afterStep);
        if (!AnsiConsole.Profile.Capabilities.Interactive)
            return train(afterStep + (step => PrintStep(step)));

        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(progress =>
            {
                ProgressTask bar = progress.AddTask("training", maxValue: _steps);
                return train(afterStep + (step =>
                {
                    bar.Value = step.Step;
                    bar.Description = Markup.Escape(Line(step));
                }));
            });
    }

    /// <summary>Says what came out.</summary>
    public static void End(TrainSettings settings, EvaluationReport? holdout)
    {
        if (holdout?.Classification is { } classes)
            Say($"hold-out of {holdout.Examples}: accuracy {100 * classes.Accuracy:0.0} %, loss {holdout.Loss:0.000}");
        else if (holdout?.Language is { } language)
            Say($"hold-out of {holdout.Examples}: perplexity {language.Perplexity:0.00}, loss {holdout.Loss:0.000}");
        Console.WriteLine($"{(settings.Adapter.Full ? "model" : "adapter")}: {settings.Output}");
    }

    private void PrintStep(StepReport step)
    {
        if (step.Step % 10 == 0 || step.Step == _steps)
            Console.WriteLine(Line(step));
    }

    private string Line(StepReport step) => string.Create(CultureInfo.InvariantCulture, $"step {step.Step}/{_steps}, loss {step.Loss:0.000}, {step.TokensPerSecond:0} {_unit}/s");

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
