using System.Text.RegularExpressions;

namespace Federated.Simulations.Data.Mail;

/// <summary>Replaces what leads to a person or a machine: addresses, links, telephone and other long numbers, streets, identifiers.</summary>
/// <remarks>The tokens are the same for ham and spam: <c>&lt;mail&gt; &lt;url&gt; &lt;ip&gt; &lt;phone&gt; &lt;number&gt; &lt;id&gt; &lt;street&gt;</c>.</remarks>
public static partial class AddressMask
{
    private const string MailScheme = "mailto:";

    /// <summary>Replaces every match; amounts, dates and times stay.</summary>
    /// <param name="text">Any text.</param>
    public static string Apply(string text)
    {
        string masked = MailLink().Replace(text, match => match.Length > MailScheme.Length ? "<mail>" : "");
        masked = Link().Replace(masked, "<url>");
        masked = MailAddress().Replace(masked, "<mail>");
        masked = SpelledMail().Replace(masked, "<mail>");
        masked = StarredMail().Replace(masked, "<mail>");
        masked = IpAddress().Replace(masked, "<ip>");
        masked = Domain().Replace(masked, "<url>");
        masked = LabelledTelephone().Replace(masked, "${label}<phone>");
        masked = Telephone().Replace(masked, match => IsDate(match.ValueSpan) ? match.Value : "<phone>");
        masked = FurtherTelephone().Replace(masked, "${first}<phone>");
        masked = Identifier().Replace(masked, match => LooksRandom(match.ValueSpan) ? "<id>" : match.Value);
        masked = Street().Replace(masked, "<street>");
        masked = LongNumber().Replace(masked, "<number>");
        return Repeated().Replace(DoubledBrackets().Replace(masked, "<$1>"), "$1");
    }

    // Mixed letters and digits, or longer than any word.
    private static bool LooksRandom(ReadOnlySpan<char> token) =>
        token.Length >= 40 || (token.ContainsAnyInRange('0', '9') && CountDigits(token) >= 4 && !token.ContainsAny("-_"))
        || (CountDigits(token) >= 8 && !IsoTime().IsMatch(token));

    private static int CountDigits(ReadOnlySpan<char> token)
    {
        int count = 0;
        foreach (char c in token)
            count += char.IsAsciiDigit(c) ? 1 : 0;

        return count;
    }

    private static bool IsDate(ReadOnlySpan<char> token) => Date().IsMatch(token);

    [GeneratedRegex(@"<?mailto:(?:\s*[^\s<>""\])]+>?)?", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex MailLink();

    [GeneratedRegex(@"<?(?:https?:/{0,2}|(?:\bftp|news|nntp|telnet|irc|file|javascript):/{1,2})[^\s<>""]+>?|www\d?\.[^\s<>""]+", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Link();

    [GeneratedRegex(@"<?[\w.+=!#$%&'*/?^`{|}~-]*[\w.+-] ?@ ?(?:[\w-]+\.)*[\w-]*\w>?|\w@(?=\s|$)|(?<=^|\s)@\w[\w.-]*", RegexOptions.CultureInvariant)]
    private static partial Regex MailAddress();

    [GeneratedRegex(
        @"\b[\w.+-]+\s?(?:[\[({<]\s?(?:at|@)\s?[\])}>]|\bAT\b|_at_)\s?[\w-]+(?:\s?(?:[\[({<]\s?(?:dot|\.)\s?[\])}>]|\bDOT\b|_dot_|\.)\s?[\w-]+)+|\b[\w.+-]+ at [\w-]+(?: dot [\w-]+)+\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex SpelledMail();

    [GeneratedRegex(@"\b[\w.-]+\*(?:<url>|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,4}\b)", RegexOptions.CultureInvariant)]
    private static partial Regex StarredMail();

    [GeneratedRegex(@"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", RegexOptions.CultureInvariant)]
    private static partial Regex IpAddress();

    [GeneratedRegex(
        @"\b(?:[a-zA-Z0-9_-]+\.)+(?:com|net|org|edu|gov|mil|info|biz|COM|NET|ORG|[Cc]om|ie|uk|de|fr|nl|ca|au|jp|us|ru|ch|se|no|fi|dk|be|at|cz|pl|br|cn|tw|kr|za|nz|tv|cc|ws|to|es|gr|eu)\b(?:[:/][^\s<>""]*)?",
        RegexOptions.CultureInvariant)]
    private static partial Regex Domain();

    [GeneratedRegex(@"[A-Za-z0-9+/=_-]{12,}", RegexOptions.CultureInvariant)]
    private static partial Regex Identifier();

    [GeneratedRegex(
        @"(?<![\w$£€.,])(?:\+\s?\d[\d\s().\-/]{5,18}\d|\(\s?\d{2,5}\s?\)[\s.\-/]*\d{2,4}(?:[\s.\-/]*\d{2,4}){0,3}|\d{1,2}[-. ]\d{3}[-. ]\d{3}[-. ]\d{4}|\d{3}\s?[-./ ]\s?\d{3}\s?[-./ ]\s?\d{4}|\d{3}[-.]\d{4}|0\d{1,4}[.]?[ -]\d{2,4}(?:[ -]\d{2,4}){1,3}|0\d{2,4}[ -]\d{5,7}|\d{2,4}(?:-\d{2,4}){2,4}|\d[-.]?8\d\d[-. ][A-Z\d]{2,4}[-.]?[A-Z\d]{3,5})(?![\w])",
        RegexOptions.CultureInvariant)]
    private static partial Regex Telephone();

    [GeneratedRegex(
        @"(?<label>\b(?:tel|phone|telephone|fax|facsimile|mobile|cell|tlf|cellular|gsm|whatsapp)\b[^\d\n<+($£€]{0,20})[+(]*\d[\d\s().\-/]{4,22}\d",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex LabelledTelephone();

    [GeneratedRegex(@"(?<first><phone>\s?(?:,|/|&|or|and)\s?)\d{3,4}[ .-]?\d{3,4}\b", RegexOptions.CultureInvariant)]
    private static partial Regex FurtherTelephone();

    [GeneratedRegex(
        @"\b\d{1,5}(?:-\d{1,4})? (?:[NSEW]\. )?(?:\p{Lu}[\w']*\.? ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Boulevard|Blvd|Lane|Ln|Parkway|Pkwy|Square|Court|Place|Way)\b\.?|\bP\. ?O\. ?Box \d+|\bG?P\.?O\.? Box \d+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Street();

    [GeneratedRegex(@"^(?:(?:19|20)\d\d-\d\d?-\d\d?|\d\d?-\d\d?-(?:19|20)?\d\d)$", RegexOptions.CultureInvariant)]
    private static partial Regex Date();

    [GeneratedRegex(@"^(?:19|20)\d\d-\d\d-\d\dT\d\d$", RegexOptions.CultureInvariant)]
    private static partial Regex IsoTime();

    [GeneratedRegex(@"\d{7,}", RegexOptions.CultureInvariant)]
    private static partial Regex LongNumber();

    [GeneratedRegex(@"(<(?:mail|url)>)(?: ?\1)+", RegexOptions.CultureInvariant)]
    private static partial Regex Repeated();

    [GeneratedRegex(@"[<\[(]\s?<(mail|url)>\s?[>\])]", RegexOptions.CultureInvariant)]
    private static partial Regex DoubledBrackets();
}
