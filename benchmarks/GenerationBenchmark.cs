using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Client.Models;
using Spectre.Console;

namespace Federated.Benchmarks;

/// <summary><c>generation</c>: greedy generation beside a PyTorch loop with a cache, turn by turn, each in a process of its own.</summary>
internal static class GenerationBenchmark
{
    internal const string PromptsFile = "prompts.json";
    private const int Prompts = 5, PromptTokens = 32;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>A model so small that calls count, and one so large that reading its weights does.</summary>
    private static readonly (string Name, LlamaConfig Model)[] Cases =
    [
        ("3 M parameters", Model(hidden: 192, layers: 4, heads: 6, keyHeads: 3, inner: 512, vocabulary: 8192)),
        ("137 M parameters", Model(hidden: 768, layers: 12, heads: 12, keyHeads: 4, inner: 2048, vocabulary: 32000)),
    ];

    internal static Command Command()
    {
        Option<int[]> threads = new("--threads") { Description = "Thread counts to measure.", DefaultValueFactory = _ => [1], AllowMultipleArgumentsPerToken = true };
        Option<int> tokens = new("--new-tokens") { Description = "Tokens a prompt is continued by.", DefaultValueFactory = _ => 128 };
        Option<int> repeats = new("--repeats") { Description = "Turns each side takes; medians are reported.", DefaultValueFactory = _ => 3 };
        Option<string?> json = new("--json") { Description = "File that takes the measurements as JSON." };
        Command command = new("generation", "Measures greedy generation with cached keys and values beside PyTorch: tokens per second, peak memory.") { threads, tokens, repeats, json };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(threads), parsed.GetValue(tokens), parsed.GetValue(repeats), parsed.GetValue(json)));
        return command;
    }

    private static void Run(int[] threads, int tokens, int repeats, string? json)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 4);
        List<GenerationComparison> comparisons = [];
        foreach ((string name, LlamaConfig model) in Cases)
        {
            string work = Directory.CreateTempSubdirectory("generation-").FullName;
            try
            {
                Write(work, model);
                comparisons.AddRange(threads.Select(count => Compare(name, work, count, tokens, repeats)));
            }
            finally
            {
                Directory.Delete(work, recursive: true);
            }
        }

        Print(comparisons);
        if (json is not null)
            File.WriteAllText(json, JsonSerializer.Serialize(comparisons, Indented));
    }

    private static GenerationComparison Compare(string name, string work, int threads, int tokens, int repeats)
    {
        string[] options = ["--work", work, "--threads", $"{threads}", "--new-tokens", $"{tokens}"];
        List<GenerationMeasurement> ours = [], peers = [];
        for (int turn = 0; turn < repeats; turn++)
        {
            ours.Add(MeasuredProcess.Ours<GenerationMeasurement>([GenerationWorker.Name, .. options], threads));
            peers.Add(MeasuredProcess.Peer<GenerationMeasurement>("generation.py", options, threads));
        }

        GenerationComparison comparison = new(name, threads, ours, peers);
        comparison.CheckSameWork();
        return comparison;
    }

    private static void Write(string folder, LlamaConfig config)
    {
        using (PretrainedModel model = PretrainedModel.Create(config, seed: 1))
            model.Save(folder);
        Random random = new(2);
        int[][] prompts = [.. Enumerable.Range(0, Prompts).Select(_ => Enumerable.Range(0, PromptTokens).Select(_ => random.Next(config.VocabularySize)).ToArray())];
        File.WriteAllText(Path.Combine(folder, PromptsFile), JsonSerializer.Serialize(prompts));
    }

    private static LlamaConfig Model(int hidden, int layers, int heads, int keyHeads, int inner, int vocabulary) => new()
    {
        Task = ModelTask.CausalLanguageModel,
        VocabularySize = vocabulary,
        HiddenSize = hidden,
        MaxPositions = 4096,
        Layers = layers,
        Heads = heads,
        KeyValueHeads = keyHeads,
        HeadSize = hidden / heads,
        IntermediateSize = inner,
        NormEpsilon = 1e-5,
        // Wide enough that the likeliest token stands out, so that both sides write the same text.
        InitializerRange = 0.1,
    };

    private static void Print(List<GenerationComparison> comparisons)
    {
        Table table = new Table().AddColumns("model", "threads", "tokens/s", "PyTorch", "ratio", "ratio by CPU time", "peak MiB", "PyTorch");
        foreach (GenerationComparison c in comparisons)
        {
            table.AddRow(
                c.Case, $"{c.Threads}", Text(c.TokensPerSecond, "f1"), Text(c.PeerTokensPerSecond, "f1"), Text(c.SpeedRatio, "f2"), Text(c.CpuRatio, "f2"),
                Text(c.PeakMiB, "f0"), Text(c.PeerPeakMiB, "f0"));
        }

        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 120);
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(comparisons[0].Peers[0].Version);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
