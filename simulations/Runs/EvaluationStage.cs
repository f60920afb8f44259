using System.Globalization;
using System.Text.Json;
using Federated.Client.Commands;
using Federated.Simulations.Processes;
using Federated.Simulations.Reports;
using Federated.Simulations.Scenarios;

namespace Federated.Simulations.Runs;

/// <summary>Scores adapters on the common test set, in as many processes as there are cores.</summary>
public sealed class EvaluationStage(Scenario scenario, ProcessFleet fleet)
{
    /// <summary>Scores every folder of <paramref name="adapters"/>.</summary>
    /// <param name="adapters">PEFT folders.</param>
    /// <param name="test">JSONL file of the test set.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <returns>Score of each folder, and the number of test examples.</returns>
    public async Task<(IReadOnlyDictionary<string, Score> Scores, int Examples)> RunAsync(
        IReadOnlyList<string> adapters, string test, CancellationToken cancellation)
    {
        int processes = Math.Clamp(Environment.ProcessorCount / scenario.Threads, 1, adapters.Count);
        EvaluationOutput[] outputs = await Task.WhenAll(Enumerable.Range(0, processes).Select(part =>
            EvaluateAsync($"evaluate-{part}", [.. adapters.Where((_, i) => i % processes == part)], test, cancellation)));
        return (
            outputs.SelectMany(output => output.Results).ToDictionary(
                result => result.Adapter!,
                result => new Score { Accuracy = result.Accuracy.GetValueOrDefault(), F1 = (result.F1 ?? result.MacroF1).GetValueOrDefault(), Loss = result.Loss.GetValueOrDefault() },
                StringComparer.Ordinal),
            (int)outputs[0].Examples);
    }

    private async Task<EvaluationOutput> EvaluateAsync(string name, IReadOnlyList<string> adapters, string test, CancellationToken cancellation)
    {
        FleetProcess process = await fleet.StartAsync(name, Programs.Client,
        [
            "evaluate", "--model", scenario.Model, "--data", test, "--labels", string.Join(',', scenario.Labels),
            "--max-tokens", scenario.Training.MaxTokens.ToString(CultureInfo.InvariantCulture),
            "--threads", scenario.Threads.ToString(CultureInfo.InvariantCulture), "--json",
            .. adapters.SelectMany(adapter => (string[])["--adapter", adapter]),
        ],
        ThreadSettings.For(scenario.Threads));
        await process.SucceedAsync(cancellation);
        string? json = (await File.ReadAllLinesAsync(process.LogPath, cancellation)).LastOrDefault(line => line.StartsWith('{'));
        try
        {
            return JsonSerializer.Deserialize(json ?? "", CommandJson.Default.EvaluationOutput)!;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name} succeeded but printed no result that can be read: {e.Message} Its log is {process.LogPath}.", e);
        }
    }
}
