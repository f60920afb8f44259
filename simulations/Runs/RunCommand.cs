using System.CommandLine;
using System.Globalization;
using Federated.Simulations.Processes;
using Federated.Simulations.Reports;
using Federated.Simulations.Scenarios;
using Spectre.Console;

namespace Federated.Simulations.Runs;

/// <summary><c>simulations run</c>.</summary>
public static class RunCommand
{
    private const int BadData = 65, Failed = 70, Interrupted = 130;

    /// <summary>Columns where the output is a file or a pipe: no line of ours is broken.</summary>
    private const int WideLine = 240;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        Argument<string> file = new("scenario") { Description = "Scenario file (YAML)." };
        Option<string> output = new("--out") { Description = "Folder for results; what an earlier run left there is replaced.", DefaultValueFactory = _ => "artifacts/simulation" };
        Option<ulong?> seed = new("--seed") { Description = "Use this seed instead of the scenario's." };
        Option<bool> json = new("--json") { Description = "Print the summary as JSON, and nothing else, on standard output." };
        Command command = new("run",
            """
            Runs a scenario: one coordinator process, one agent process for each mailbox, baselines, evaluation, report.

            Example:
              simulations run simulations/scenarios/mail.yaml --out artifacts/demo
            """)
        {
            file, output, seed, json,
        };
        command.SetAction((parsed, cancellation) =>
            RunAsync(parsed.GetRequiredValue(file), parsed.GetRequiredValue(output), parsed.GetValue(seed), parsed.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string file, string output, ulong? seed, bool json, CancellationToken cancellation)
    {
        IAnsiConsole console = json
            ? AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error), Interactive = InteractionSupport.No })
            : AnsiConsole.Console;
        if (!console.Profile.Capabilities.Interactive)
            console.Profile.Width = WideLine;
        try
        {
            Scenario scenario = ScenarioReader.Read(file);
            scenario = seed is { } given ? scenario with { Seed = given } : scenario;
            SimulationFolder folder = SimulationFolder.Create(output);
            Summary summary = await new ScenarioRunner(scenario, folder, console, TimeProvider.System).RunAsync(cancellation);
            if (json)
                Console.Out.WriteLine(summary.ToJson());
            else
                Print(console, summary, folder);
            return 0;
        }
        catch (Exception e) when (e is OperationCanceledException || cancellation.IsCancellationRequested)
        {
            // Ctrl-C reaches the whole process group: a child that stopped first must not pass for a failure.
            Console.Error.WriteLine("stopped; every process that was started has ended");
            return Interrupted;
        }
        catch (Exception e) when (e is ProcessFailedException or InvalidOperationException)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return Failed;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return BadData;
        }
    }

    private static void Print(IAnsiConsole console, Summary summary, SimulationFolder folder)
    {
        Table table = new Table().Border(console.Profile.Capabilities.Interactive ? TableBorder.Rounded : TableBorder.Ascii)
            .Title(new TableTitle($"accuracy on {summary.TestExamples} test examples that no mailbox sees", Style.Plain))
            .AddColumns("method", "accuracy", "F1", "loss");
        foreach ((string method, Score score) in HtmlReport.Rows(summary))
            table.AddRow(Markup.Escape(method), Percent(score.Accuracy), Percent(score.F1), score.Loss.ToString("0.000", CultureInfo.InvariantCulture));
        console.Write(table);
        foreach ((string name, FederatedScore run) in summary.Federated)
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name}: {run.BytesUpPerClientRound:N0} bytes up and {run.BytesDownPerClientRound:N0} bytes down per client and round, measured on the socket"));
        }

        console.WriteLine($"seconds: {string.Join(", ", summary.Seconds.Select(stage => string.Create(CultureInfo.InvariantCulture, $"{stage.Key} {stage.Value:0.0}")))}");
        console.WriteLine($"adapter: {summary.Adapter}");
        console.WriteLine($"report:  {folder.File("report.html")}");
        console.WriteLine($"summary: {folder.File("summary.json")}");
    }

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %";
}
