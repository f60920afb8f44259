using System.Globalization;
using Federated.Simulations.Processes;
using Federated.Simulations.Scenarios;

namespace Federated.Simulations.Runs;

/// <summary>What the federated runs are compared with: each mailbox alone, and all of them pooled. Each training is a process of its own.</summary>
/// <remarks>
/// Every one starts from the same initial adapter as round 1 of the federated runs. A mailbox alone makes as many steps as
/// it makes in a federated run; the pooled one as many as all mailboxes make together, at the same batch size.
/// </remarks>
public sealed class BaselineStage(Scenario scenario, SimulationFolder folder, ProcessFleet fleet)
{
    /// <summary>Trains all baselines, as many at once as there are cores.</summary>
    /// <param name="mailboxes">Mailbox name to its JSONL file.</param>
    /// <param name="pooled">All mailboxes in one file.</param>
    /// <param name="initialAdapter">PEFT folder with the adapter that round 1 starts from.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <returns>Adapter folder of each mailbox, and of the pooled training.</returns>
    public async Task<(IReadOnlyDictionary<string, string> Local, string Centralised)> RunAsync(
        IReadOnlyDictionary<string, string> mailboxes, string pooled, string initialAdapter, CancellationToken cancellation)
    {
        int steps = scenario.Rounds * scenario.Training.Steps;
        using SemaphoreSlim cores = new(Math.Max(1, Environment.ProcessorCount / scenario.Threads));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // The longest first, so that the short ones fill up the other cores meanwhile.
        Task<string> centralised = TrainAsync("centralised", pooled, initialAdapter, steps * mailboxes.Count, mailboxes.Count, cores, stop.Token);
        Dictionary<string, Task<string>> local = mailboxes.ToDictionary(
            mailbox => mailbox.Key, mailbox => TrainAsync($"local-{mailbox.Key}", mailbox.Value, initialAdapter, steps, 1, cores, stop.Token), StringComparer.Ordinal);
        Task<string>[] all = [centralised, .. local.Values];
        try
        {
            await foreach (Task<string> ended in Task.WhenEach(all))
                await ended;
        }
        finally
        {
            // After a failure nobody wants the others: they stop waiting, and the fleet stops what already runs.
            await stop.CancelAsync();
            await Task.WhenAll(all).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        return (local.ToDictionary(task => task.Key, task => task.Value.Result, StringComparer.Ordinal), await centralised);
    }

    private async Task<string> TrainAsync(
        string name, string data, string initialAdapter, int steps, int warmupFactor, SemaphoreSlim cores, CancellationToken cancellation)
    {
        string output = Path.Combine(folder.Folder("adapters"), name);
        TrainingSettings training = scenario.Training;
        await cores.WaitAsync(cancellation);
        try
        {
            FleetProcess process = await fleet.StartAsync(name, Programs.Client,
            [
                "train", "--model", scenario.Model, "--data", data, "--init", initialAdapter, "--out", output,
                "--labels", string.Join(',', scenario.Labels), "--threads", Text(scenario.Threads), "--seed", Text(scenario.Seed),
                "--steps", Text(steps), "--batch-size", Text(training.BatchSize), "--max-tokens", Text(training.MaxTokens),
                "--learning-rate", Text(training.LearningRate), "--warmup-steps", Text(training.WarmupSteps * warmupFactor),
                "--schedule", training.Schedule, "--weight-decay", Text(training.WeightDecay), "--clip-norm", Text(training.ClipNorm),
                "--holdout-share", Text(training.HoldoutShare), "--json",
            ],
            ThreadSettings.For(scenario.Threads));
            await process.SucceedAsync(cancellation);
            return output;
        }
        finally
        {
            cores.Release();
        }
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
