using System.Collections.Frozen;
using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace Federated.Simulations.Data.Mail;

/// <summary>What a reader sees of an HTML mail: its text, with a line for each block.</summary>
/// <remarks>A link's target follows its text as <c>text &lt;https://target&gt;</c>, a picture is its alternative text, as mail programs show them in plain text.</remarks>
public static class HtmlText
{
    private static readonly FrozenSet<string> Unseen =
        FrozenSet.ToFrozenSet(["script", "style", "title", "noscript", "template", "object", "select", "textarea"], StringComparer.Ordinal);

    private static readonly FrozenSet<string> Blocks = FrozenSet.ToFrozenSet(
        ["address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "form", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
         "li", "ol", "p", "pre", "section", "table", "tr", "ul"],
        StringComparer.Ordinal);

    /// <summary>Extracts the text.</summary>
    /// <param name="html">Any HTML, however broken: it is parsed as browsers do (HTML5 tree construction).</param>
    /// <returns>Text with entities decoded; blanks inside a block are single spaces; blocks are separated by LF.</returns>
    public static string Extract(string html)
    {
        using IDocument document = new HtmlParser().ParseDocument(html);
        StringBuilder output = new(html.Length / 2);
        INode root = document.Body ?? (INode)document;

        // An iterative walk: mail may nest deeper than the stack is.
        for (INode? node = root.FirstChild; node is not null;)
        {
            bool seen = node is not IElement element || Enter(output, element);
            if (node is IText text)
                AppendCollapsed(output, text.Data);

            node = (seen ? node.FirstChild : null) ?? Following(output, node, root);
        }

        return output.ToString().Trim();
    }

    private static bool Enter(StringBuilder output, IElement element)
    {
        if (Unseen.Contains(element.LocalName))
            return false;

        if (Blocks.Contains(element.LocalName))
            Break(output, '\n');
        else if (element.LocalName is "td" or "th" or "option")
            Break(output, ' ');
        else if (element.LocalName == "img")
            AppendCollapsed(output, $" {element.GetAttribute("alt")} ");

        return true;
    }

    private static INode? Following(StringBuilder output, INode node, INode root)
    {
        for (INode? current = node; current is not null && current != root; current = current.Parent)
        {
            if (current is IElement element && Blocks.Contains(element.LocalName))
                Break(output, '\n');
            else if (current is IElement { LocalName: "a" } link)
                AppendTarget(output, link.GetAttribute("href"));

            if (current.NextSibling is { } sibling)
                return sibling;
        }

        return null;
    }

    private static void AppendTarget(StringBuilder output, string? target)
    {
        if (Uri.TryCreate(target?.Trim(), UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" or "ftp" or "mailto")
            output.Append(" <").Append(uri.OriginalString.Replace(' ', '+')).Append("> ");
    }

    private static void AppendCollapsed(StringBuilder output, string text)
    {
        foreach (char c in text)
        {
            if (char.IsWhiteSpace(c))
                Break(output, ' ');
            else
                output.Append(c);
        }
    }

    // At most one separator in a row; a line break wins over a blank.
    private static void Break(StringBuilder output, char separator)
    {
        if (output.Length == 0)
            return;

        if (output[^1] == ' ' && separator == '\n')
            output[^1] = '\n';
        else if (output[^1] is not (' ' or '\n'))
            output.Append(separator);
    }
}
