using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Federated.Client.Generation;
using Federated.Client.Models;
using TorchSharp;

namespace Federated.Benchmarks;

/// <summary>This product's side of <c>generation</c>, in a process of its own so that its peak memory is its own.</summary>
internal static class GenerationWorker
{
    internal const string Name = "generation-worker";

    internal static Command Command()
    {
        Option<string> work = new("--work") { Required = true };
        Option<int> threads = new("--threads") { Required = true }, tokens = new("--new-tokens") { Required = true };
        Command command = new(Name, "One measurement of generation; prints one JSON line.") { work, threads, tokens };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            torch.set_num_threads(parsed.GetValue(threads));
            Console.WriteLine(JsonSerializer.Serialize(Measure(parsed.GetRequiredValue(work), parsed.GetValue(tokens))));
        });
        return command;
    }

    private static GenerationMeasurement Measure(string work, int count)
    {
        int[][] prompts = JsonSerializer.Deserialize<int[][]>(File.ReadAllBytes(Path.Combine(work, GenerationBenchmark.PromptsFile)))!;
        using PretrainedModel model = PretrainedModel.Load(work);
        TokenGenerator generator = new(model);
        GenerationOptions options = new() { MaxNewTokens = count };
        generator.Generate(prompts[0], options, _ => true);

        List<int[]> texts = [];
        List<double> wall = [], cpu = [];
        foreach (int[] prompt in prompts)
        {
            List<int> tokens = [];
            TimeSpan used = Environment.CpuUsage.TotalTime;
            long started = Stopwatch.GetTimestamp();
            generator.Generate(prompt, options, token =>
            {
                tokens.Add(token);
                return true;
            });
            wall.Add(count / Stopwatch.GetElapsedTime(started).TotalSeconds);
            cpu.Add(count / (Environment.CpuUsage.TotalTime - used).TotalSeconds);
            texts.Add([.. tokens]);
        }

        return new([.. texts], Median(wall), Median(cpu), MeasuredProcess.ResidentMiB("VmHWM"), typeof(torch).Assembly.GetName().Name!);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }
}
