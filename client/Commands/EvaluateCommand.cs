using System.CommandLine;

namespace Federated.Client.Commands;

/// <summary><c>client evaluate</c>: how well a model does on a file, alone or with adapters.</summary>
public static class EvaluateCommand
{
    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        TaskOptions task = new();
        Option<string[]> adapters = new("--adapter") { Description = "Adapter folder in PEFT layout; may be repeated. Default: the model alone." };
        Option<string?> by = new("--by") { Description = "Also score the examples of each value of this field, such as a language." };
        Command command = new("evaluate",
            """
            Scores a model on a file, with one adapter after the other: loss, and what the task has of perplexity,
            accuracy, F1 and expected calibration error.

            Examples:
              client evaluate --model models/base --adapter adapter --data test.jsonl --labels ham,spam
              client evaluate --model models/base --adapter adapter --data speeches.jsonl --by era --json
            """)
        {
            adapters, by,
        };
        task.AddTo(command);
        command.SetAction((parsed, cancellation) => CommandErrors.GuardAsync(() => Task.FromResult(new EvaluateRun(
            new(task.Parse(parsed), parsed.GetValue(adapters) ?? [], parsed.GetValue(by))).Execute(cancellation))));
        return command;
    }
}
