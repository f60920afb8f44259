using Spectre.Console;

namespace Federated.Simulations.Data;

/// <summary>A small table for people: framed on a terminal, plain columns in a file or a pipe.</summary>
internal static class CountTable
{
    /// <summary>Writes the table.</summary>
    /// <param name="output">Where to; only the process's own terminal gets a frame.</param>
    /// <param name="header">Names of the columns; the first is aligned left, the others right.</param>
    /// <param name="rows">Rows as long as the header.</param>
    public static void Write(TextWriter output, IReadOnlyList<string> header, IReadOnlyList<string[]> rows)
    {
        if (ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected)
        {
            Table table = new();
            for (int i = 0; i < header.Count; i++)
                table.AddColumn(new TableColumn(header[i].EscapeMarkup()) { Alignment = i == 0 ? Justify.Left : Justify.Right });

            foreach (string[] row in rows)
                table.AddRow([.. row.Select(cell => cell.EscapeMarkup())]);

            AnsiConsole.Write(table);
            return;
        }

        int[] widths = [.. header.Select((name, i) => rows.Select(row => row[i].Length).Append(name.Length).Max())];
        foreach (IReadOnlyList<string> row in rows.Prepend<IReadOnlyList<string>>(header))
            output.WriteLine(string.Join("  ", row.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))));
    }
}
