using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using Spectre.Console;

namespace Federated.Benchmarks;

/// <summary>Folding many adapter updates from files: our rules beside what Flower's FedAvg does, in numpy, on the same files.</summary>
/// <remarks>Each measurement runs in a process of its own, one after the other; files come from the page cache, warm from being written.</remarks>
internal static class AggregationBenchmark
{
    private const int Width = 4096;
    private const int Rank = 16;
    private const int LayerBytes = 2 * Width * Rank * sizeof(float);

    /// <summary>The command <c>aggregation</c>.</summary>
    public static Command Command()
    {
        Option<int> updates = new("--updates") { Description = "Updates in the round.", DefaultValueFactory = _ => 50 };
        Option<int> size = new("--mib") { Description = "MiB of one update.", DefaultValueFactory = _ => 64 };
        Option<string> folder = new("--folder") { Description = "Where the updates are made; needs updates x mib.", DefaultValueFactory = _ => Path.GetTempPath() };
        Option<string?> json = new("--json") { Description = "File that gets the numbers." };
        Command command = new("aggregation", "Fold LoRA updates (rank 16 on 4096 x 4096 layers) with FedIT and LoRA-FAIR, beside numpy.") { updates, size, folder, json };
        command.SetAction(parsed => Run(parsed.GetValue(updates), parsed.GetValue(size), parsed.GetValue(folder)!, parsed.GetValue(json)));
        return command;
    }

    private static void Run(int updates, int mib, string parent, string? json)
    {
        int layers = Math.Max(1, mib * 1024 * 1024 / LayerBytes);
        DirectoryInfo folder = Directory.CreateDirectory(Path.Combine(parent, $"federated-aggregation-{Environment.ProcessId}"));
        try
        {
            MakeUpdates(folder.FullName, updates, layers);
            AggregationMeasurement bandwidth = Ours(folder.FullName, "bandwidth");
            List<(string Name, string Key, AggregationMeasurement Measured, int Layers)> rows =
            [
                ("ours: fedit", "fedit", Ours(folder.FullName, "fedit"), layers),
                ("numpy, Flower's way, in memory", "numpy_reduce", Peer(folder.FullName, "reduce"), layers),
                ("numpy in place, in memory", "numpy_inplace", Peer(folder.FullName, "inplace"), layers),
                ("ours: lora-fair, norms off", "lora_fair", Ours(folder.FullName, "lora-fair", "norms=off"), layers),
                ("ours: lora-fair, norms on", "lora_fair_norms", Ours(folder.FullName, "lora-fair", "norms=on"), layers),
                ("numpy, T formed, 1 layer only", "numpy_dense_layer", Peer(folder.FullName, "dense"), 1),
            ];
            double layerBytes = (double)updates * LayerBytes;
            Show(updates, layers, layerBytes, bandwidth, rows);
            if (json is not null)
            {
                File.WriteAllText(json, JsonSerializer.Serialize(new
                {
                    updates,
                    layers,
                    input_bytes = layerBytes * layers,
                    memory = bandwidth,
                    results = rows.ToDictionary(row => row.Key, row => row.Measured),
                }, AggregationMeasurement.Json));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // Every update is another stretch of one random array: as varied as separate ones, and made at the disk's speed.
    private static void MakeUpdates(string folder, int updates, int layers)
    {
        const int Step = 9973;
        float[] values = new float[(Width * Rank) + (updates * Step)];
        SharedRandom.Fill(1, 0, StreamKind.Gaussian, 0, values);
        TensorInfo[] tensors =
        [
            .. Enumerable.Range(0, layers).SelectMany(layer => (TensorInfo[])
            [
                TensorInfo.Declare($"base_model.model.layers.{layer:d4}.q_proj.lora_A.weight", DType.F32, Rank, Width),
                TensorInfo.Declare($"base_model.model.layers.{layer:d4}.q_proj.lora_B.weight", DType.F32, Width, Rank),
            ]),
        ];
        for (int k = 0; k < updates; k++)
        {
            using SafetensorsWriter writer = new(File.Create(Path.Combine(folder, $"update-{k:d4}.safetensors")), tensors, SafetensorsWriter.PyTorchMetadata);
            for (int i = 0; i < tensors.Length; i++)
                writer.WriteTensor(writer.Tensors[i].Name, values.AsSpan((k + i) % updates * Step, Width * Rank));
            writer.Complete();
        }
    }

    private static AggregationMeasurement Ours(string folder, string rule, params string[] options) => MeasuredProcess.Ours<AggregationMeasurement>(
        ["aggregation-worker", rule, folder, .. options.SelectMany(option => (string[])["--set", option])], json: AggregationMeasurement.Json);

    private static AggregationMeasurement Peer(string folder, string mode) =>
        MeasuredProcess.Peer<AggregationMeasurement>("aggregation.py", [mode, folder], json: AggregationMeasurement.Json);

    private static void Show(
        int updates, int layers, double layerBytes, AggregationMeasurement bandwidth,
        IEnumerable<(string Name, string Key, AggregationMeasurement Measured, int Layers)> rows)
    {
        Table table = new Table().AddColumns("what", "s", "CPU s", "GB/s", "of axpy", "peak MiB");
        table.Title = new TableTitle(string.Create(CultureInfo.InvariantCulture,
            $"{updates} updates of {layers * (double)LayerBytes / (1 << 20):f0} MiB, {layers} layers of rank {Rank} on {Width} x {Width}, {Environment.ProcessorCount} threads"));
        table.Caption = new TableTitle(string.Create(CultureInfo.InvariantCulture,
            $"memory, in this run: {bandwidth.ReadBytesPerSecond / 1e9:f1} GB/s read, {bandwidth.AxpyBytesPerSecond / 1e9:f1} GB/s of input for acc += w x. Peak: resident memory above that at the start."));
        foreach ((string name, _, AggregationMeasurement measured, int count) in rows)
        {
            double rate = layerBytes * count / measured.Seconds;
            table.AddRow(
                Markup.Escape(name), Text(measured.Seconds, "f3"), Text(measured.CpuSeconds, "f2"), Text(rate / 1e9, "f2"), Text(rate / bandwidth.AxpyBytesPerSecond, "p0"),
                Text(measured.PeakAboveIdleMiB, "f0"));
        }

        AnsiConsole.Write(table);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
