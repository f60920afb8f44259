using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Federated.Coordinator.Aggregation;
using Federated.Shared.Tensors;

namespace Federated.Benchmarks;

/// <summary>One measurement in a process of its own, so that its peak of memory is its own. Prints one JSON line.</summary>
internal static class AggregationWorker
{
    private const int Repeats = 6;

    /// <summary>The command that <see cref="AggregationBenchmark"/> starts.</summary>
    public static Command Command()
    {
        Argument<string> rule = new("rule") { Description = "Name of an aggregation rule, or 'bandwidth'." };
        Argument<string> folder = new("folder") { Description = "Folder of update-*.safetensors." };
        Option<string[]> set = new("--set") { Description = "Options of the rule, name=value.", AllowMultipleArgumentsPerToken = true };
        Command command = new("aggregation-worker", "One measurement of the aggregation benchmark.") { rule, folder, set };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            AggregationMeasurement measured = parsed.GetRequiredValue(rule) == "bandwidth"
                ? AggregationBandwidth.Measure()
                : Fold(parsed.GetRequiredValue(rule), parsed.GetRequiredValue(folder), parsed.GetValue(set) ?? []);
            Console.WriteLine(JsonSerializer.Serialize(measured, AggregationMeasurement.Json));
        });
        return command;
    }

    private static AggregationMeasurement Fold(string name, string folder, string[] set)
    {
        List<string> errors = [];
        Dictionary<string, string> options = set.Select(text => text.Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[^1]);
        IAggregationRule rule = AggregationRules.Default.Create("benchmark", name, options, errors)
            ?? throw new ArgumentException(string.Join(" ", errors));
        string output = Path.Combine(folder, $"next-{Environment.ProcessId}.safetensors");
        double idle = MeasuredProcess.ResidentMiB("VmRSS");
        List<(double Seconds, double Cpu)> runs = [];
        try
        {
            for (int i = 0; i < Repeats; i++)
                runs.Add(FoldOnce(rule, folder, output));

            (double seconds, double cpu) = runs.Min();
            return new() { Seconds = seconds, CpuSeconds = cpu, PeakAboveIdleMiB = MeasuredProcess.ResidentMiB("VmHWM") - idle, First = FirstValue(output) };
        }
        finally
        {
            File.Delete(output);
        }
    }

    // Opening the files and writing the next adapter count: they are what the coordinator does.
    private static (double Seconds, double Cpu) FoldOnce(IAggregationRule rule, string folder, string output)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        List<AggregationUpdate> updates = [];
        try
        {
            foreach (string path in Directory.GetFiles(folder, "update-*.safetensors").Order(StringComparer.Ordinal))
                updates.Add(new(Path.GetFileNameWithoutExtension(path), updates.Count + 1, 2, SafetensorsFile.Open(path)));

            AggregationRound round = new(1, 2, updates[0].Tensors, updates);
            using FileStream stream = new(output, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 });
            rule.Aggregate(round, stream, CancellationToken.None);
        }
        finally
        {
            updates.ForEach(update => update.Tensors.Dispose());
        }

        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
    }

    private static float FirstValue(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Span<float> first = stackalloc float[1];
        file.ReadFloats(file.Tensors[0], 0, first);
        return first[0];
    }
}
