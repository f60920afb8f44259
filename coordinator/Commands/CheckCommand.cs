using System.CommandLine;
using Federated.Coordinator.Aggregation;
using Federated.Coordinator.RunFiles;

namespace Federated.Coordinator.Commands;

/// <summary><c>coordinator check</c></summary>
internal static class CheckCommand
{
    private static readonly Option<string[]> Runs = new("--run") { Description = "Description of a run (YAML); give it once for each run.", Required = true, AllowMultipleArgumentsPerToken = true };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command command = new("check", "Checks descriptions of runs and names everything that is wrong with them, at once.") { Runs };
        command.SetAction((parsed, _) => Failures.GuardAsync(parsed.InvocationConfiguration.Error, async () =>
        {
            foreach (RunFile run in RunFile.ReadAll(parsed.GetValue(Runs)!, AggregationRules.Default))
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(
                    $"{run.Definition.Run}: {run.Definition.Rounds} rounds of {run.Definition.Method} over {run.Definition.Sites.Count} sites, model {run.ModelFolder}");
            }

            return ExitCodes.Ok;
        }));
        return command;
    }
}
