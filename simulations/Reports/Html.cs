using System.Net;
using System.Text;

namespace Federated.Simulations.Reports;

/// <summary>Builds the few pieces of HTML that a report is made of; every text is encoded.</summary>
public static class Html
{
    /// <summary>Text as HTML.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A table; columns after the first are right-aligned.</summary>
    public static string Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        StringBuilder table = new("<table><thead><tr>");
        foreach (string cell in header)
            table.Append("<th>").Append(Text(cell)).Append("</th>");
        table.Append("</tr></thead><tbody>");
        foreach (IReadOnlyList<string> row in rows)
        {
            table.Append("<tr>");
            foreach (string cell in row)
                table.Append("<td>").Append(Text(cell)).Append("</td>");
            table.Append("</tr>\n");
        }

        return table.Append("</tbody></table>").ToString();
    }
}
