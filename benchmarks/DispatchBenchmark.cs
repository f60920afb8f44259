using System.CommandLine;
using Federated.Compat.Torch;
using Spectre.Console;
using static TorchSharp.torch;

namespace Federated.Benchmarks;

/// <summary><c>dispatch</c>: what a call from C# into a libtorch operator costs beside the same call in a C++ loop.</summary>
internal static class DispatchBenchmark
{
    private const int Calls = 200_000;
    private static readonly NativeOperator Add = new("aten::add", "Tensor");

    internal static Command Command()
    {
        Option<int> repeats = new("--repeats") { Description = "Turns each side takes; medians are reported.", DefaultValueFactory = _ => 15 };
        Command command = new("dispatch", "Measures an operator call from C# beside the same call in a C++ loop, in microseconds.") { repeats };
        command.SetAction(parsed => Run(parsed.GetValue(repeats)));
        return command;
    }

    private static void Run(int repeats)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        set_num_threads(1);
        using IDisposable _ = no_grad();
        using Tensor left = ones(16), right = ones(16);
        List<double> native = [], managed = [], surface = [];
        // The first turn compiles and warms up.
        for (int turn = 0; turn <= repeats; turn++)
        {
            double[] times =
            [
                Time(() => NativeOps.BenchmarkAdd(left, right, Calls)), Time(() => Loop(() => Add.Call(left, right, 1).Dispose())), Time(() => Loop(() => (left + right).Dispose())),
            ];
            if (turn == 0)
                continue;
            native.Add(times[0]);
            managed.Add(times[1]);
            surface.Add(times[2]);
        }

        double floor = Median(native);
        Table table = new Table().AddColumns("add of 16 numbers", "µs a call", "µs over C++");
        table.AddRow("C++ loop", $"{floor:f3}", "");
        table.AddRow("NativeOperator.Call and Dispose", $"{Median(managed):f3}", $"{Median(managed) - floor:f3}");
        table.AddRow("Tensor + Tensor and Dispose", $"{Median(surface):f3}", $"{Median(surface) - floor:f3}");
        AnsiConsole.Write(table);
    }

    private static void Loop(Action call)
    {
        for (int i = 0; i < Calls; i++)
            call();
    }

    // CPU time: on one thread it is what a quiet machine's clock shows, and other programs disturb it least.
    private static double Time(Action body)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        body();
        return (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / Calls;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
