using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using TorchSharp;

namespace Federated.Client.Commands;

/// <summary>One run of <c>client train</c>.</summary>
internal sealed class TrainRun(TrainSettings settings)
{
    private ulong Seed => (ulong)settings.Training.Seed;

    /// <summary>Trains and writes the result.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public int Execute(CancellationToken cancellation)
    {
        if (CommandErrors.Report(settings.Validate()) is var code and not ExitCodes.Ok)
            return code;

        torch.set_num_threads(settings.Task.Threads);
        ChosenTask chosen = settings.Task.Choose(settings.HoldoutShare, by: null);
        TrainProgress progress = new(settings);
        progress.Begin(chosen);
        TaskData data = chosen.Task.Read(chosen.Source, cancellation);
        TrainCheckpoint checkpoint = new(settings);
        using PretrainedModel model = PretrainedModel.Load(settings.Task.Model, chosen.LoadOptions(Seed));
        using AdaptedModel? adapted = Adapt(model, chosen);
        LocalTrainer trainer = adapted is null
            ? new(model, model.Parameters, chosen.Task.Objective, settings.Training)
            : new(adapted, chosen.Task.Objective, settings.Training);
        checkpoint.Restore(trainer);

        TrainingSummary summary;
        try
        {
            IEnumerable<TrainingBatch> batches = data.Training(settings.BatchSize, Seed, trainer.StepsDone * settings.Training.BatchesPerStep);
            summary = progress.Run(report => trainer.Run(batches, report, cancellation), _ => checkpoint.AfterStep(trainer));
        }
        catch (OperationCanceledException) when (checkpoint.Interrupted(trainer))
        {
            Console.Error.WriteLine($"stopped after step {trainer.StepsDone}; the same command goes on from there.");
            return ExitCodes.Interrupted;
        }

        EvaluationReport? holdout = data.HoldoutExamples == 0 ? null : chosen.Task.Evaluate(model, data.Holdout(), cancellation);
        Write(model, adapted);
        checkpoint.Finish();
        Print(chosen, trainer, summary, holdout);
        return ExitCodes.Ok;
    }

    private AdaptedModel? Adapt(PretrainedModel model, ChosenTask chosen)
    {
        if (settings.Adapter.Full)
            return null;
        return settings.Adapter.Initial is { } initial
            ? AdaptedModel.Load(model, initial)
            : AdaptedModel.Attach(model, settings.Adapter.Config(chosen.Task, model, settings.Task.Model), Seed);
    }

    private void Write(PretrainedModel model, AdaptedModel? adapted)
    {
        if (adapted is not null)
        {
            adapted.Save(settings.Output);
            return;
        }

        model.Save(settings.Output);
        TokenizerCopy.To(settings.Output, settings.Task.Model);
    }

    private void Print(ChosenTask chosen, LocalTrainer trainer, TrainingSummary summary, EvaluationReport? holdout)
    {
        if (!settings.Task.Json)
        {
            TrainProgress.End(settings, holdout);
            return;
        }

        bool full = settings.Adapter.Full;
        TrainingOutput output = new()
        {
            Objective = chosen.Task.Name,
            Adapter = full ? null : settings.Output,
            Model = full ? settings.Output : null,
            Steps = trainer.StepsDone,
            Loss = JsonNumber.Finite(summary.MeanLoss),
            Tokens = summary.Tokens,
            Seconds = summary.Elapsed.TotalSeconds,
            HoldoutExamples = holdout?.Examples ?? 0,
            HoldoutLoss = JsonNumber.Finite(holdout?.Loss),
            HoldoutAccuracy = JsonNumber.Finite(holdout?.Classification?.Accuracy),
            HoldoutPerplexity = JsonNumber.Finite(holdout?.Language?.Perplexity),
        };
        Console.WriteLine(JsonSerializer.Serialize(output, CommandJson.Default.TrainingOutput));
    }
}
