using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Shared.Tensors;
using Spectre.Console;

namespace Federated.Benchmarks;

/// <summary><c>loading</c>: time and peak memory of reading a large checkpoint, beside PyTorch over a mapped file, each in a process of its own.</summary>
internal static class LoadingBenchmark
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal static Command Command()
    {
        Option<double> gib = new("--gib") { Description = "GiB of the checkpoint's files.", DefaultValueFactory = _ => 2 };
        Option<int> repeats = new("--repeats") { Description = "Turns each side takes; the fastest is reported, and the largest peak.", DefaultValueFactory = _ => 3 };
        Option<string?> json = new("--json") { Description = "File that takes the measurements as JSON." };
        Command command = new("loading", "Measures loading a checkpoint: GB/s and peak resident memory, beside PyTorch. Writes it into a temporary folder first.") { gib, repeats, json };
        command.SetAction(parsed => Run(parsed.GetValue(gib), parsed.GetValue(repeats), parsed.GetValue(json)));
        return command;
    }

    private static void Run(double gib, int repeats, string? json)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        List<(string Case, LoadingMeasurement Ours, LoadingMeasurement Peer)> rows = [];
        foreach ((string name, DType dtype, int shards) in LoadingWork.Cases)
        {
            string folder = Directory.CreateTempSubdirectory("loading-").FullName;
            try
            {
                LoadingWork.Write(folder, dtype, shards, (long)(gib * (1L << 30)));
                rows.Add(Compare(name, folder, repeats));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Print(rows);
        if (json is not null)
            File.WriteAllText(json, JsonSerializer.Serialize(rows.Select(row => new { row.Case, row.Ours, row.Peer }), Indented));
    }

    private static (string Case, LoadingMeasurement Ours, LoadingMeasurement Peer) Compare(string name, string folder, int repeats)
    {
        List<LoadingMeasurement> ours = [], peers = [];
        for (int turn = 0; turn < repeats; turn++)
        {
            ours.Add(MeasuredProcess.Ours<LoadingMeasurement>([LoadingWorker.Name, folder]));
            peers.Add(MeasuredProcess.Peer<LoadingMeasurement>("loading.py", [folder]));
        }

        (LoadingMeasurement mine, LoadingMeasurement other) = (Best(ours), Best(peers));
        return Math.Abs(mine.Sum - other.Sum) <= 1e-3 && mine.ModelMiB == other.ModelMiB
            ? (name, mine, other)
            : throw new InvalidOperationException($"The two sides read different models: {mine}, {other}.");
    }

    private static LoadingMeasurement Best(List<LoadingMeasurement> turns) =>
        turns.MinBy(turn => turn.Seconds)! with { PeakMiB = turns.Max(turn => turn.PeakMiB), FreshCopyBytesPerSecond = turns.Max(turn => turn.FreshCopyBytesPerSecond) };

    private static void Print(List<(string Case, LoadingMeasurement Ours, LoadingMeasurement Peer)> rows)
    {
        Table table = new Table().AddColumns("stored as", "model MiB", "s", "PyTorch", "GB/s", "PyTorch", "copy GB/s", "peak MiB", "PyTorch", "above model", "bound", "PyTorch");
        foreach ((string name, LoadingMeasurement ours, LoadingMeasurement peer) in rows)
        {
            table.AddRow(
                name, Text(ours.ModelMiB, "f0"), Text(ours.Seconds, "f2"), Text(peer.Seconds, "f2"), Text(Rate(ours), "f2"), Text(Rate(peer), "f2"),
                Text(ours.FreshCopyBytesPerSecond / 1e9, "f2"), Text(ours.PeakMiB, "f0"), Text(peer.PeakMiB, "f0"), Text(Above(ours), "f0"),
                Text(ours.LargestTensorMiB, "f0"), Text(Above(peer), "f0"));
        }

        table.Caption = new TableTitle("GB/s: bytes of float32 parameters filled. Above model: peak less memory before loading less the model; bound: the largest tensor.");
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(rows[0].Peer.Version);
    }

    private static double Rate(LoadingMeasurement measured) => measured.ModelMiB * 1048576 / measured.Seconds / 1e9;

    private static double Above(LoadingMeasurement measured) => measured.PeakMiB - measured.IdleMiB - measured.ModelMiB;

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
