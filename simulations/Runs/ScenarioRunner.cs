using System.Globalization;
using Federated.Shared.Protocol;
using Federated.Simulations.Processes;
using Federated.Simulations.Reports;
using Federated.Simulations.Scenarios;
using Spectre.Console;

namespace Federated.Simulations.Runs;

/// <summary>Runs a scenario from data to report, stage by stage.</summary>
public sealed class ScenarioRunner(Scenario scenario, SimulationFolder folder, IAnsiConsole console, TimeProvider clock)
{
    private readonly Dictionary<string, double> _seconds = new(StringComparer.Ordinal);

    /// <summary>Runs everything.</summary>
    /// <returns>What was found; also written to <c>summary.json</c> and <c>report.html</c>.</returns>
    public async Task<Summary> RunAsync(CancellationToken cancellation)
    {
        await using ProcessFleet fleet = new(folder.Folder("logs"));
        Mailboxes data = await StageAsync("data", () => Task.Run(() => Mailboxes.Write(scenario, folder.Folder("data")), cancellation));
        Summary summary = new()
        {
            Scenario = scenario.Name,
            Seed = scenario.Seed,
            TestExamples = 0,
            Mailboxes = data.Counts,
            StepsPerSite = scenario.Rounds * scenario.Training.Steps,
        };

        LiveTable table = new(console);
        FederatedStage federated = new(scenario, folder, fleet, table.Show);
        CoordinatorSnapshot end = await StageAsync("federated", () => table.WhileAsync(federated.RunAsync(data.Files, cancellation), clock, cancellation));
        AdapterFolders adapters = new(scenario, folder);
        string initial = adapters.Initial(federated.InitialAdapter);
        (IReadOnlyDictionary<string, string> Local, string Centralised)? baselines = null;
        if (scenario.Baselines)
        {
            console.WriteLine("baselines: each mailbox alone, and all pooled");
            baselines = await StageAsync("baselines", () => new BaselineStage(scenario, folder, fleet)
                .RunAsync(data.Files, data.Pooled, initial, cancellation));
        }

        await StageAsync("evaluation", async () =>
        {
            await EvaluateAsync(summary, end, adapters, initial, baselines, new EvaluationStage(scenario, fleet), data.Test, cancellation);
            return true;
        });
        summary.Adapter = adapters.Final(end.Runs[^1]);
        foreach (RunSnapshot run in end.Runs)
            summary.Seconds[run.Run] = Math.Round(run.History.Sum(round => round.Seconds), 1);
        foreach ((string stage, double seconds) in _seconds)
            summary.Seconds[stage] = Math.Round(seconds, 1);
        await File.WriteAllTextAsync(folder.File("summary.json"), summary.ToJson(), cancellation);
        await File.WriteAllTextAsync(folder.File("report.html"), HtmlReport.Write(summary), cancellation);
        return summary;
    }

    private async Task EvaluateAsync(
        Summary summary, CoordinatorSnapshot end, AdapterFolders adapters, string initial,
        (IReadOnlyDictionary<string, string> Local, string Centralised)? baselines,
        EvaluationStage stage, string test, CancellationToken cancellation)
    {
        Dictionary<(string Run, uint Round), string> rounds = end.Runs
            .SelectMany(run => run.History
                .Where(round => round.Round % scenario.EvaluateEvery == 0 || round.Round == run.History[^1].Round)
                .Select(round => (run.Run, round.Round, Folder: adapters.OfRound(run.Run, round))))
            .ToDictionary(entry => (entry.Run, entry.Round), entry => entry.Folder);
        List<string> all = [initial, .. rounds.Values];
        if (baselines is { } trained)
            all.AddRange([trained.Centralised, .. trained.Local.Values]);

        (IReadOnlyDictionary<string, Score> scores, summary.TestExamples) = await stage.RunAsync(all, test, cancellation);
        summary.Base = scores[initial];
        foreach (RunSnapshot run in end.Runs)
            summary.Federated[run.Run] = ScoreOf(run, round => rounds.TryGetValue((run.Run, round.Round), out string? adapter) ? scores[adapter] : null);
        if (baselines is { } done)
        {
            summary.Centralised = scores[done.Centralised];
            Dictionary<string, Score> local = done.Local.ToDictionary(box => box.Key, box => scores[box.Value], StringComparer.Ordinal);
            double mean = local.Values.Average(score => score.Accuracy);
            summary.Local = new()
            {
                Accuracy = mean,
                MeanAccuracy = mean,
                F1 = local.Values.Average(score => score.F1),
                Loss = local.Values.Average(score => score.Loss),
                Mailboxes = local,
            };
        }
    }

    private static FederatedScore ScoreOf(RunSnapshot run, Func<RoundSummary, Score?> test)
    {
        Score last = test(run.History[^1])!;
        SiteRound[] traffic = [.. run.History.SelectMany(round => round.Sites)];
        return new()
        {
            Method = run.Method,
            Accuracy = last.Accuracy,
            F1 = last.F1,
            Loss = last.Loss,
            BytesUpPerClientRound = Math.Round(traffic.Average(site => site.BytesReceived)),
            BytesDownPerClientRound = Math.Round(traffic.Average(site => site.BytesSent)),
            AdapterSha256 = Convert.ToHexStringLower(run.AdapterSha256.Span),
            Rounds =
            [
                .. run.History.Select(round => new RoundPoint
                {
                    Round = (int)round.Round,
                    Seconds = Math.Round(round.Seconds, 2),
                    TrainingLoss = round.TrainingLoss,
                    HoldoutAccuracy = round.HoldoutAccuracy,
                    TestAccuracy = test(round)?.Accuracy,
                    Diagnostics = round.Diagnostics,
                    Sites = [.. round.Sites.Select(site => new SiteTraffic(site.Site, site.Examples, site.BytesReceived, site.BytesSent))],
                }),
            ],
        };
    }

    private async Task<T> StageAsync<T>(string name, Func<Task<T>> work)
    {
        long start = clock.GetTimestamp();
        T result = await work();
        _seconds[name] = clock.GetElapsedTime(start).TotalSeconds;
        if (!console.Profile.Capabilities.Interactive)
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {_seconds[name]:0.0} s"));
        return result;
    }
}
