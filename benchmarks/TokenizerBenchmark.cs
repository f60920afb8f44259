using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Spectre.Console;

namespace Federated.Benchmarks;

/// <summary><c>tokenizers</c>: text to ids, in MB of UTF-8 a second of processor time, beside Hugging Face's tokenizers library on the same files and texts.</summary>
internal static class TokenizerBenchmark
{
    /// <summary>Processor time of passes that are not counted: until then the runtime has compiled the hot paths for good.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    internal static Command Command()
    {
        Option<string> text = new("--text") { Description = "Text file; documents are parted by empty lines.", DefaultValueFactory = _ => "artifacts/data/sotu-train.txt" };
        Option<string> tokenizer = new("--tokenizer") { Description = "Folder of a byte-level BPE tokenizer.", DefaultValueFactory = _ => "models/small-en" };
        Option<string> peer = new("--peer")
        {
            Description = "Folder node_modules with the npm package tokenizers; without it only this product is measured.",
            DefaultValueFactory = _ => "artifacts/npm/golden/node_modules",
        };
        Option<int> repeats = new("--repeats") { Description = "Passes over the text; medians are reported; passes that warm up come on top.", DefaultValueFactory = _ => 7 };
        Option<string?> json = new("--json") { Description = "File that takes the measurements as JSON." };
        Command command = new("tokenizers", "Measures byte-level BPE, WordPiece, Unigram and SentencePiece BPE on one thread and on all, beside the tokenizers library.")
        {
            text, tokenizer, peer, repeats, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(text), parsed.GetRequiredValue(tokenizer), parsed.GetRequiredValue(peer), parsed.GetValue(repeats), parsed.GetValue(json)));
        return command;
    }

    private static void Run(string textFile, string folder, string peer, int repeats, string? json)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        if (!File.Exists(textFile))
            throw new FileNotFoundException($"No text {textFile}; eng/prepare-sotu.sh makes one, or name another with --text.", textFile);

        string text = File.ReadAllText(textFile);
        string[] documents = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        string package = Path.GetFullPath(Path.Combine(peer, "tokenizers"));
        if (!Directory.Exists(package))
            AnsiConsole.MarkupLineInterpolated($"No npm package {package}: measuring this product alone. eng/make-tokenizer-golden.sh fetches it.");

        List<TokenizerComparison> comparisons = [];
        foreach ((string name, Tokenizer tokenizer) in TokenizerModels.Make(TokenizerFolder.Read(folder), text[..Math.Min(text.Length, 1 << 20)]))
        {
            foreach (int threads in Environment.ProcessorCount > 1 ? (int[])[1, Environment.ProcessorCount] : [1])
            {
                TokenizerMeasurement theirs = Directory.Exists(package) ? Peer(tokenizer, textFile, package, threads, repeats) : TokenizerMeasurement.None;
                comparisons.Add(new(name, threads, Ours(tokenizer, documents, threads, repeats), theirs));
            }
        }

        Print(comparisons, documents);
        if (json is not null)
            File.WriteAllText(json, JsonSerializer.Serialize(comparisons, Json));
    }

    private static TokenizerMeasurement Ours(Tokenizer tokenizer, string[] documents, int threads, int repeats)
    {
        long bytes = documents.Sum(document => (long)Encoding.UTF8.GetByteCount(document));
        for (TimeSpan start = Environment.CpuUsage.TotalTime; Environment.CpuUsage.TotalTime - start < WarmUp;)
            Encode(tokenizer, documents, threads);

        List<double> cpu = [], wall = [];
        long tokens = 0;
        for (int turn = 0; turn < repeats; turn++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            long started = Stopwatch.GetTimestamp();
            tokens = Encode(tokenizer, documents, threads);
            wall.Add(bytes / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e6);
            cpu.Add(bytes / (Environment.CpuUsage.TotalTime - before).TotalSeconds / 1e6);
        }

        return new(Median(cpu), Median(wall), tokens);
    }

    private static long Encode(Tokenizer tokenizer, string[] documents, int threads)
    {
        long tokens = 0;
        Parallel.ForEach(documents, new ParallelOptions { MaxDegreeOfParallelism = threads }, () => new List<int>(), (document, _, ids) =>
        {
            ids.Clear();
            tokenizer.Encode(document, ids);
            Interlocked.Add(ref tokens, ids.Count);
            return ids;
        }, _ => { });
        return tokens;
    }

    private static TokenizerMeasurement Peer(Tokenizer tokenizer, string textFile, string package, int threads, int repeats)
    {
        string file = Path.Combine(Path.GetTempPath(), $"tokenizer-{Environment.ProcessId}.json");
        try
        {
            using (FileStream stream = File.Create(file))
                TokenizerJson.Write(stream, tokenizer);

            ProcessStartInfo start = new("node", [Path.Combine(AppContext.BaseDirectory, "peers", "tokenizers.cjs"), package, file, Path.GetFullPath(textFile), $"{repeats}"])
            {
                RedirectStandardOutput = true,
                Environment = { ["RAYON_NUM_THREADS"] = $"{threads}", ["TOKENIZERS_PARALLELISM"] = threads > 1 ? "true" : "false" },
            };
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize<TokenizerMeasurement>(output, Json)!
                : throw new InvalidOperationException($"The peer ended with {process.ExitCode}: node {string.Join(' ', start.ArgumentList)}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Print(List<TokenizerComparison> comparisons, string[] documents)
    {
        Table table = new Table().AddColumns("tokenizer", "threads", "ours, MB/s a core", "library", "ratio", "ours, MB/s", "library", "tokens");
        table.Title = new($"{documents.Length} documents, {documents.Sum(document => (long)Encoding.UTF8.GetByteCount(document)) / 1e6:f1} MB of UTF-8");
        table.Caption = new("MB/s a core: by processor time of the whole process. The library gives offsets too, which this product does not compute.");
        foreach (TokenizerComparison row in comparisons)
        {
            bool peer = row.Library.Tokens > 0;
            table.AddRow(
                row.Tokenizer, $"{row.Threads}", Text(row.Ours.CpuRate), peer ? Text(row.Library.CpuRate) : "", peer ? Text(row.Ours.CpuRate / row.Library.CpuRate) : "",
                Text(row.Ours.WallRate), peer ? Text(row.Library.WallRate) : "", row.Ours.Tokens.ToString("n0", CultureInfo.InvariantCulture));
            if (peer && row.Ours.Tokens != row.Library.Tokens)
                throw new InvalidOperationException($"{row.Tokenizer}: {row.Ours.Tokens} tokens here, {row.Library.Tokens} from the library; wanted as many.");
        }

        AnsiConsole.Write(table);
    }

    private static string Text(double value) => value.ToString("f1", CultureInfo.InvariantCulture);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

/// <summary>MB of UTF-8 a second: of processor time, and by the clock; and tokens that the text has.</summary>
internal sealed record TokenizerMeasurement(double CpuRate, double WallRate, long Tokens)
{
    public static TokenizerMeasurement None { get; } = new(0, 0, 0);
}

/// <summary>One tokenizer on so many threads, here and by the library.</summary>
internal sealed record TokenizerComparison(string Tokenizer, int Threads, TokenizerMeasurement Ours, TokenizerMeasurement Library);
