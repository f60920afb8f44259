using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Federated.Client.Models;
using TorchSharp;
using TorchSharp.Modules;

namespace Federated.Benchmarks;

/// <summary>This product's side of <c>loading</c>, in a process of its own so that its peak memory is its own.</summary>
internal static class LoadingWorker
{
    internal const string Name = "loading-worker";

    internal static Command Command()
    {
        Argument<string> folder = new("folder");
        Command command = new(Name, "One measurement of loading; prints one JSON line.") { folder };
        command.Hidden = true;
        command.SetAction(parsed => Console.WriteLine(JsonSerializer.Serialize(Measure(parsed.GetRequiredValue(folder)))));
        return command;
    }

    private static LoadingMeasurement Measure(string folder)
    {
        torch.zeros(1).Dispose();
        double idle = MeasuredProcess.ResidentMiB("VmRSS");
        TimeSpan used = Environment.CpuUsage.TotalTime;
        long started = Stopwatch.GetTimestamp();
        using PretrainedModel model = PretrainedModel.Load(folder);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds, cpu = (Environment.CpuUsage.TotalTime - used).TotalSeconds;
        double peak = MeasuredProcess.ResidentMiB("VmHWM");
        double sum = model.Parameters.Sum(parameter => (double)First(parameter.Value));
        return new(seconds, cpu, MiB(model.ParameterCount), MiB(model.Parameters.Max(p => p.Value.numel())), idle, peak, sum, "Federated")
        {
            FreshCopyBytesPerSecond = FreshCopy(),
        };
    }

    private static float First(Parameter parameter)
    {
        float first = 0;
        parameter.VisitSlices((start, values) => first = start == 0 ? values[0] : first);
        return first;
    }

    private static double FreshCopy()
    {
        const int Length = 1 << 26, Times = 8;
        float[] source = new float[Length];
        source.AsSpan().Fill(1);
        double best = 0;
        for (int i = 0; i < Times; i++)
        {
            long started = Stopwatch.GetTimestamp();
            using torch.Tensor fresh = torch.empty(Length, dtype: torch.ScalarType.Float32);
            source.CopyTo(fresh.Floats());
            best = Math.Max(best, Length * sizeof(float) / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }

    private static double MiB(long numbers) => numbers * sizeof(float) / 1048576.0;
}
