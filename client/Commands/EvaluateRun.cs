using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using TorchSharp;

namespace Federated.Client.Commands;

/// <summary>What <c>client evaluate</c> is to do.</summary>
/// <param name="Task">Model, data and task.</param>
/// <param name="Adapters">Adapter folders; none for the model alone.</param>
/// <param name="By">Field that groups the examples; null for none.</param>
internal sealed record EvaluateSettings(TaskSettings Task, string[] Adapters, string? By)
{
    /// <summary>Everything that is wrong; empty when scoring can start.</summary>
    public IReadOnlyList<string> Validate()
    {
        OptionFaults faults = new();
        Task.Validate(faults);
        foreach (string adapter in Adapters)
            faults.Folder("--adapter", adapter);
        faults.Demand(By is null or { Length: > 0 }, "--by", By, "the name of a field");
        return faults.Found;
    }
}

/// <summary>One run of <c>client evaluate</c>.</summary>
internal sealed class EvaluateRun(EvaluateSettings settings)
{
    /// <summary>Scores and prints.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public int Execute(CancellationToken cancellation)
    {
        if (CommandErrors.Report(settings.Validate()) is var code and not ExitCodes.Ok)
            return code;

        torch.set_num_threads(settings.Task.Threads);
        ChosenTask chosen = settings.Task.Choose(holdoutShare: 0, settings.By);
        TaskData data = chosen.Task.Read(chosen.Source, cancellation);
        string?[] adapters = settings.Adapters.Length == 0 ? (string?[])[null] : settings.Adapters;
        EvaluationScore[] scores = [.. adapters.Select(adapter => Score(chosen, data, adapter, cancellation))];
        EvaluationOutput output = new(chosen.Task.Name, scores[0].Examples, scores);
        if (settings.Task.Json)
            Console.WriteLine(JsonSerializer.Serialize(output, CommandJson.Default.EvaluationOutput));
        else
            EvaluationTable.Print(output, settings.By);
        return ExitCodes.Ok;
    }

    private EvaluationScore Score(ChosenTask chosen, TaskData data, string? adapter, CancellationToken cancellation)
    {
        // Loaded anew each time: an adapter overwrites the modules it saves whole, and the next one may lack them.
        using PretrainedModel model = PretrainedModel.Load(settings.Task.Model, chosen.LoadOptions());
        using AdaptedModel? adapted = adapter is null ? null : AdaptedModel.Load(model, adapter);
        EvaluationReport[] groups = [.. Enumerable.Range(0, data.Groups.Count).Select(group => chosen.Task.Evaluate(model, data.OfGroup(group), cancellation))];
        return Of(EvaluationReport.Sum(groups)) with
        {
            Adapter = adapter,
            Groups = settings.By is null
                ? null
                : [.. groups.Select((report, group) => Of(report) with { Group = data.Groups[group] }).OrderBy(score => score.Group, StringComparer.Ordinal)],
        };
    }

    private static EvaluationScore Of(EvaluationReport report) => new()
    {
        Examples = report.Examples,
        Loss = JsonNumber.Finite(report.Loss),
        Perplexity = JsonNumber.Finite(report.Language?.Perplexity),
        Accuracy = JsonNumber.Finite(report.Classification?.Accuracy),
        F1 = report.Classification is { Classes: 2 } two ? two.F1(1) : null,
        MacroF1 = report.Classification?.MacroF1,
        CalibrationError = JsonNumber.Finite(report.Classification?.Calibration.ExpectedError()),
    };
}
