using System.Globalization;
using Federated.Shared.Tensors;
using Spectre.Console;

namespace Federated.Client.Commands;

/// <summary>The result of <c>client evaluate</c> for people: one row an adapter and group, with the columns that the task has.</summary>
internal static class EvaluationTable
{
    private sealed record Column(string Title, Func<EvaluationScore, double?> Value, double Scale, string Format);

    private static readonly Column[] Columns =
    [
        new("loss", score => score.Loss, 1, "0.000"),
        new("perplexity", score => score.Perplexity, 1, "0.00"),
        new("accuracy", score => score.Accuracy, 100, "0.0' %'"),
        new("F1", score => score.F1, 100, "0.0' %'"),
        new("macro F1", score => score.MacroF1, 100, "0.0' %'"),
        new("calibration error", score => score.CalibrationError, 100, "0.0' %'"),
    ];

    /// <summary>Prints the table.</summary>
    /// <param name="output">The scores.</param>
    /// <param name="by">The field that groups; null for none.</param>
    public static void Print(EvaluationOutput output, string? by)
    {
        // A console of its own: the library's keeps the writer that it met first.
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        Column[] shown = [.. Columns.Where(column => output.Results.Any(score => column.Value(score) is not null))];
        Table table = new Table().Border(console.Profile.Capabilities.Interactive ? TableBorder.Rounded : TableBorder.Ascii)
            .Title(new TableTitle($"{output.Objective}, {output.Examples} examples", Style.Plain));
        table.AddColumn("adapter");
        if (by is not null)
            table.AddColumn(Text(by)).AddColumn("examples");
        table.AddColumns([.. shown.Select(column => column.Title)]);
        foreach (EvaluationScore score in output.Results)
        {
            foreach (EvaluationScore group in score.Groups ?? [])
                table.AddRow([.. Row(score.Adapter, group, Text(group.Group!), by, shown)]);
            table.AddRow([.. Row(score.Adapter, score, "(all)", by, shown)]);
        }

        console.Write(table);
    }

    private static IEnumerable<string> Row(string? adapter, EvaluationScore score, string group, string? by, Column[] columns) =>
    [
        Markup.Escape(adapter ?? "(none)"),
        .. by is null ? (string[])[] : [group, score.Examples.ToString(CultureInfo.InvariantCulture)],
        .. columns.Select(column => column.Value(score) is { } value ? (column.Scale * value).ToString(column.Format, CultureInfo.InvariantCulture) : "-"),
    ];

    // A value of the data: what a terminal would obey is shown as escapes.
    private static string Text(string value) => Markup.Escape(TensorText.Printable(value, GroupLength));

    private const int GroupLength = 100;
}
