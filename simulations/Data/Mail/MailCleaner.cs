using System.Text;
using System.Text.RegularExpressions;

namespace Federated.Simulations.Data.Mail;

/// <summary>Takes away what says where a mail was collected rather than what it says: list tags and footers, signatures, PGP armour, decoration.</summary>
/// <remarks>
/// List markers would give the label away: nearly all list mail of the corpus is ham. Signatures hold addresses and employers of
/// real people. Quoting stays, as one '>' a line: replies are a natural trait of mail.
/// </remarks>
public static partial class MailCleaner
{
    private const int LongestSignature = 12;
    private const int LongestFooter = 10;

    /// <summary>Subject without list tags such as <c>[ILUG]</c>, on one line.</summary>
    public static string Subject(string subject) => Blanks().Replace(Tidy(ListTag().Replace(subject, " ")), " ").Trim();

    /// <summary>Body without signature, list footer and armour; each line trimmed, no empty lines, quote marks reduced to one '>'.</summary>
    /// <param name="body">Decoded body, lines ended by LF.</param>
    public static string Body(string body)
    {
        string bare = PgpSignature().Replace(PgpHeader().Replace(body, "\n"), "\n");
        bare = SponsorBlock().Replace(bare, "\n");
        List<string> lines = [.. bare.Split('\n').Select(line => Unquote(Tidy(line)))];
        CutFooters(lines);
        CutSignatures(lines);

        StringBuilder output = new(body.Length);
        foreach (string line in lines)
        {
            if (line.Length > 0 && line != ">")
                output.Append(line).Append('\n');
        }

        return output.ToString().TrimEnd('\n');
    }

    /// <summary>One line with visible characters only: control and format characters go, every kind of blank becomes a space, decoration shrinks.</summary>
    public static string Tidy(string line)
    {
        StringBuilder visible = new(line.Length);
        foreach (char c in line)
        {
            if (char.IsWhiteSpace(c))
                visible.Append(' ');
            else if (!char.IsControl(c) && char.GetUnicodeCategory(c) is not (System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.PrivateUse))
                visible.Append(c);
        }

        return Blanks().Replace(Decoration().Replace(visible.ToString(), "$1$1$1"), " ").Trim();
    }

    // "> > |text" becomes "> text".
    private static string Unquote(string line)
    {
        int end = 0;
        bool quoted = false;
        while (end < line.Length && line[end] is '>' or '|' or ' ')
        {
            quoted |= line[end] == '>';
            end++;
        }

        return quoted ? $"> {line[end..]}".TrimEnd() : line;
    }

    private static void CutFooters(List<string> lines)
    {
        for (int i = Math.Max(0, lines.Count - (4 * LongestFooter)); i < lines.Count; i++)
        {
            if (Rule().IsMatch(lines[i]) && lines.Skip(i).Take(LongestFooter).Any(line => ListFooter().IsMatch(line)))
            {
                lines.RemoveRange(i, lines.Count - i);
                return;
            }
        }

        lines.RemoveAll(line => ListFooter().IsMatch(line) || FeedField().IsMatch(line));
    }

    // A line "--" begins a signature, which ends with the text, with its quotation, or after a dozen lines.
    private static void CutSignatures(List<string> lines)
    {
        for (int i = 0; i < lines.Count; i++)
        {
            if (lines[i] is not ("--" or "> --"))
                continue;

            bool quoted = lines[i][0] == '>';
            int end = i + 1;
            while (end < lines.Count && end - i <= LongestSignature && lines[end].StartsWith('>') == quoted)
                end++;

            lines.RemoveRange(i, end - i);
            i--;
        }
    }

    [GeneratedRegex(@"\[[\w .&/+!-]{2,40}\]", RegexOptions.CultureInvariant)]
    private static partial Regex ListTag();

    [GeneratedRegex(@" {2,}", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();

    [GeneratedRegex(@"([-=_*~#.+^:!?$@/\\|•·])\1{3,}", RegexOptions.CultureInvariant)]
    private static partial Regex Decoration();

    [GeneratedRegex(@"^(?:> ?)?(?:_{3}|-{3}|={3})(?: |$)", RegexOptions.CultureInvariant)]
    private static partial Regex Rule();

    [GeneratedRegex(
        @"\bmailing list$|/mailman/listinfo|/lists/listinfo|^This (?:sf\.net |SF\.NET )?e?-?mail is sponsored by|List maintainer:|for \(un\)subscription information|To unsubscribe from this group, send an email|subject to http://docs\.yahoo\.com|Yahoo! Groups",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex ListFooter();

    // The corpus holds news items that a gateway turned into mails with these two lines.
    [GeneratedRegex(@"^(?:URL: https?://\S+|Date: (?:Not supplied|\d{4}-\d\d-\d\d\S*|\w{3}, \d\d? \w{3} \d{4} .*))$", RegexOptions.CultureInvariant)]
    private static partial Regex FeedField();

    [GeneratedRegex(@"^-+ ?Yahoo! Groups Sponsor.*?(?:~->|\z)", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex SponsorBlock();

    [GeneratedRegex(@"^[> ]*-----BEGIN PGP SIGNED MESSAGE-----[^\n]*\n(?:[> ]*Hash:[^\n]*\n)?", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex PgpHeader();

    [GeneratedRegex(@"^[> ]*-----BEGIN PGP (?:SIGNATURE|PUBLIC KEY BLOCK)-----.*?(?:-----END PGP [A-Z ]+-----|\z)", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex PgpSignature();
}
