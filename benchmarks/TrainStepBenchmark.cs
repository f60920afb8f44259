using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Federated.Benchmarks;

/// <summary><c>train-step</c>: this product's LoRA training step beside PyTorch's, turn by turn, each in a process of its own.</summary>
internal static class TrainStepBenchmark
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal static Command Command()
    {
        Option<string[]> architectures = new("--architecture") { Description = "Architectures to measure.", DefaultValueFactory = _ => ["llama"], AllowMultipleArgumentsPerToken = true };
        architectures.AcceptOnlyFromAmong([.. TrainStepArchitecture.All.Select(architecture => architecture.Name)]);
        Option<int[]> threads = new("--threads") { Description = "Thread counts to measure.", DefaultValueFactory = _ => [1, 2], AllowMultipleArgumentsPerToken = true };
        Option<double> seconds = new("--seconds") { Description = "Seconds of steps a process is measured for.", DefaultValueFactory = _ => 10 };
        Option<int> repeats = new("--repeats") { Description = "Turns each side takes; medians are reported.", DefaultValueFactory = _ => 3 };
        Option<string> python = new("--python") { Description = "A Python 3 with torch and numpy.", DefaultValueFactory = _ => MeasuredProcess.Python };
        Option<string?> json = new("--json") { Description = "File that takes the measurements as JSON." };
        Command command = new("train-step", "Measures a LoRA training step beside PyTorch: tokens per second, peak memory, share of the matrix-product peak.")
        {
            architectures, threads, seconds, repeats, python, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(architectures), parsed.GetRequiredValue(threads), parsed.GetValue(seconds), parsed.GetValue(repeats), parsed.GetRequiredValue(python), parsed.GetValue(json)));
        return command;
    }

    private static void Run(string[] architectures, int[] threads, double seconds, int repeats, string python, string? json)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        List<TrainStepComparison> comparisons = [.. architectures.Select(TrainStepArchitecture.Of).SelectMany(architecture => Compare(architecture, threads, seconds, repeats, python))];
        Print(comparisons);
        if (json is not null)
            File.WriteAllText(json, JsonSerializer.Serialize(comparisons, Indented));
    }

    private static List<TrainStepComparison> Compare(TrainStepArchitecture architecture, int[] threads, double seconds, int repeats, string python)
    {
        string work = Directory.CreateTempSubdirectory("train-step-").FullName;
        try
        {
            TrainStepWork.Write(work, architecture);
            return [.. threads.SelectMany(_ => architecture.Cases, (count, name) => Compare(work, architecture.Name, name, count, seconds, repeats, python))];
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static TrainStepComparison Compare(string work, string architecture, string name, int threads, double seconds, int repeats, string python)
    {
        string[] options = ["--work", work, "--case", name, "--threads", $"{threads}", "--seconds", seconds.ToString(CultureInfo.InvariantCulture)];
        List<TrainStepMeasurement> ours = [], peers = [];
        for (int turn = 0; turn < repeats; turn++)
        {
            ours.Add(MeasuredProcess.Ours<TrainStepMeasurement>([TrainStepWorker.Name, .. options], threads));
            peers.Add(MeasuredProcess.Peer<TrainStepMeasurement>("train_step.py", ["--architecture", architecture, .. options], threads, python: python));
        }

        TrainStepComparison comparison = new(architecture, name, threads, ours, peers);
        comparison.CheckSameWork();
        return comparison;
    }

    private static void Print(List<TrainStepComparison> comparisons)
    {
        Table table = new Table().AddColumns(
            "architecture", "batch", "threads", "tokens/s", "PyTorch", "ratio", "ratio by CPU time", "peak MiB", "PyTorch", "ratio", "products' share of time", "share of sgemm peak");
        foreach (TrainStepComparison c in comparisons)
        {
            table.AddRow(
                c.Architecture, c.Case, $"{c.Threads}", $"{c.TokensPerSecond:f0}", $"{c.PeerTokensPerSecond:f0}", $"{c.SpeedRatio:f2}", $"{c.CpuRatio:f2}", $"{c.PeakMiB:f0}",
                $"{c.PeerPeakMiB:f0}", $"{c.MemoryRatio:f2}", Share(c.ProductShare), Share(c.PeakShare));
        }

        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(comparisons[0].Peers[0].Version);
    }

    private static string Share(double share) => share > 0 ? $"{share:p0}" : "";
}
