using System.Text.RegularExpressions;

namespace Federated.Simulations.Data.Mail;

/// <summary>Finds the names that stand beside mail addresses: in header fields, and in the header lines and attributions of replies.</summary>
/// <remarks>
/// Forms of RFC 5322 section 3.4 and older: <c>Name &lt;address&gt;</c>, <c>"Last, First (Town)" &lt;address&gt;</c>,
/// <c>address (Name)</c>. In bodies: "From: Name", "Name wrote:", "On some day, Name &lt;address&gt; wrote:".
/// </remarks>
public static partial class AddressNames
{
    private static readonly string[] NameFields =
        ["From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Resent-From", "Resent-To", "Resent-Sender", "Errors-To", "X-Sender", "X-Envelope-To", "X-From", "X-To"];

    /// <summary>
    /// Names in the address fields of <paramref name="headers"/>, decoded and trimmed; of the senders' addresses also the part before
    /// the '@' when it is made of letters, as in <c>john.doe@…</c>.
    /// </summary>
    public static IEnumerable<string> InHeaders(MailHeaders headers)
    {
        IEnumerable<string> names = NameFields.SelectMany(headers.All).Select(EncodedWords.Decode).SelectMany(InField);
        IEnumerable<string> mailboxes = headers.All("From").SelectMany(field => LocalPart().Matches(field)).Select(match => match.Groups[1].Value);
        return names.Concat(mailboxes.Select(mailbox => mailbox.Replace('.', ' ').Replace('_', ' ')));
    }

    /// <summary>Names in one decoded address field.</summary>
    public static IEnumerable<string> InField(string field)
    {
        foreach (string entry in Entries(field))
        {
            Match angle = AngleAddress().Match(entry);
            string outside = angle.Success ? entry.Remove(angle.Index, angle.Length) : AnyAddress().Replace(entry, " ");
            foreach (Match comment in Comment().Matches(outside))
                yield return comment.Groups[1].Value.Trim();

            string name = Comment().Replace(outside, " ").Trim(' ', '"', '\'', ',', ';', ':', '\\', '<', '>');
            if (name.Length > 0 && !name.Contains('@', StringComparison.Ordinal))
                yield return name;
        }
    }

    /// <summary>Names in header lines and attributions that a reply quotes.</summary>
    /// <param name="body">Decoded body, lines ended by LF.</param>
    public static IEnumerable<string> InBody(string body)
    {
        foreach (Match header in QuotedHeader().Matches(body))
        {
            foreach (string name in InField(header.Groups["value"].Value.Replace(';', ',')))
                yield return name;
        }

        foreach (Match attribution in Attribution().Matches(body))
            yield return attribution.Groups["name"].Value.Trim();
    }

    // Splits at commas outside quotes, brackets and comments.
    private static IEnumerable<string> Entries(string field)
    {
        bool quoted = false;
        int depth = 0;
        int start = 0;
        for (int i = 0; i < field.Length; i++)
        {
            switch (field[i])
            {
                case '"':
                    quoted = !quoted;
                    break;
                case '<' or '(' when !quoted:
                    depth++;
                    break;
                case '>' or ')' when !quoted && depth > 0:
                    depth--;
                    break;
                case ',' when !quoted && depth == 0:
                    yield return field[start..i];
                    start = i + 1;
                    break;
            }
        }

        yield return field[start..];
    }

    [GeneratedRegex(@"(?<![\w.+-])([A-Za-z]{2,}(?:[._][A-Za-z]+){0,2})@", RegexOptions.CultureInvariant)]
    private static partial Regex LocalPart();

    [GeneratedRegex(@"<[^<>]*>", RegexOptions.CultureInvariant)]
    private static partial Regex AngleAddress();

    [GeneratedRegex(@"\S*@\S*", RegexOptions.CultureInvariant)]
    private static partial Regex AnyAddress();

    [GeneratedRegex(@"\(([^()]*)\)", RegexOptions.CultureInvariant)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^[> |*]*(?:From|To|Cc|Sent by|Reply-To|Sender|Author|Von|An)\*?:[ \t]*(?<value>[^\n]{2,200})$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex QuotedHeader();

    [GeneratedRegex(
        @"(?<name>\p{Lu}[\w.'-]*(?:[ \t]+(?:\p{Lu}[\w.'-]*|van|von|der|de|la|di|du|le)){0,3})[ ""']*(?:[<(\[][^<>()\[\]\n]*[>)\]])?,?\s*(?:wrote|writes|said|spake|schrieb|a écrit)\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex Attribution();
}
