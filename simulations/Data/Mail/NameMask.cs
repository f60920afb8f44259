using System.Text;
using System.Text.RegularExpressions;

namespace Federated.Simulations.Data.Mail;

/// <summary>Replaces people's names in a mail by <c>&lt;name&gt;</c>.</summary>
/// <param name="people">The people of the whole collection.</param>
/// <param name="ownNames">Names in this mail's headers; a whole one of them is replaced in any case, a single part when it is no common word.</param>
public sealed partial class NameMask(PersonNames people, IEnumerable<string> ownNames)
{
    private const int LongestName = 5;
    private const int ShortestLoneName = 3;

    private readonly List<string[]> _own = [.. ownNames.Select(PersonNames.Words).Where(words => words.Length > 0)];

    /// <summary>Replaces names; neighbouring names become one token.</summary>
    /// <param name="text">Text whose addresses are already replaced, lines ended by LF.</param>
    public string Apply(string text)
    {
        HashSet<string> ownWhole = [.. _own.Where(words => words.Length > 1).Select(words => string.Join(' ', words))];
        HashSet<string> ownParts = [.. _own.SelectMany(words => words).Where(word => word.Length > 2 && !people.IsCommon(word))];
        text = Recipients().Replace(text, "${field} <name>");
        text = Attribution().Replace(text, "<name>${verb}");
        text = SignedLine().Replace(text, "${closing}<name>");
        List<Match> words = [.. PersonNames.Word().Matches(text).Where(word => !IsToken(text, word))];
        StringBuilder output = new(text.Length);
        int position = 0;
        for (int i = 0; i < words.Count;)
        {
            int length = Math.Max(WholeName(text, words, i, ownWhole), GivenAndFamilyName(text, words, i));
            if (length == 0 && (IsPart(words[i], ownParts) || StandsAlone(text, words[i]) || IsGreeted(text, words[i])))
                length = 1;

            if (length > 0)
            {
                Match last = words[i + length - 1];
                output.Append(text, position, words[i].Index - position).Append("<name>");
                position = last.Index + last.Length;
            }

            i += Math.Max(1, length);
        }

        output.Append(text, position, text.Length - position);
        return Neighbours().Replace(output.ToString(), "<name>");
    }

    // Number of words, initials included, of the longest whole name that begins here.
    private int WholeName(string text, List<Match> words, int start, HashSet<string> own)
    {
        int best = 0;
        string joined = "";
        for (int i = start; i < words.Count && i < start + LongestName; i++)
        {
            if (i > start && !Gap().IsMatch(text[(words[i - 1].Index + words[i - 1].Length)..words[i].Index]))
                break;

            if (words[i].Length == 1)
                continue;

            string key = PersonNames.Key(words[i].ValueSpan);
            joined = joined.Length == 0 ? key : $"{joined} {key}";
            if (joined.Contains(' ', StringComparison.Ordinal) && (own.Contains(joined) || people.IsPerson(joined) || IsTurned(joined, own)))
                best = i - start + 1;
        }

        return best;
    }

    // "Dan Gillmor": a given name that others of the collection bear, and a capitalised word that is not ordinary. Also any two before an address.
    private int GivenAndFamilyName(string text, List<Match> words, int start)
    {
        int family = start + 1;
        if (family < words.Count && words[family].Length == 1)
            family++;

        if (family >= words.Count || !IsCapitalised(words[start].ValueSpan) || !IsCapitalised(words[family].ValueSpan))
            return 0;

        for (int i = start + 1; i <= family; i++)
        {
            if (!Gap().IsMatch(text[(words[i - 1].Index + words[i - 1].Length)..words[i].Index]))
                return 0;
        }

        string first = PersonNames.Key(words[start].ValueSpan);
        string last = PersonNames.Key(words[family].ValueSpan);
        bool before = text.AsSpan(words[family].Index + words[family].Length).TrimStart(" \"'").StartsWith("<mail>", StringComparison.Ordinal);
        return !people.IsCommon(last) && (people.IsGivenName(first) || (before && !people.IsCommon(first))) ? family - start + 1 : 0;
    }

    private static bool IsCapitalised(ReadOnlySpan<char> word) => word.Length > 1 && char.IsUpper(word[0]) && char.IsLower(word[1]);

    private bool IsTurned(string joined, HashSet<string> own)
    {
        int space = joined.LastIndexOf(' ');
        string turned = $"{joined[(space + 1)..]} {joined[..space]}";
        return own.Contains(turned) || people.IsPerson(turned);
    }

    private bool IsPart(Match word, HashSet<string> own)
    {
        string key = PersonNames.Key(word.ValueSpan);
        return (char.IsUpper(word.ValueSpan[0]) && people.IsNamePart(key)) || own.Contains(key);
    }

    // "Mark" on a line of its own is a signature, though "mark" is a common word; so is any uncommon word that ends what somebody wrote.
    private bool StandsAlone(string text, Match word)
    {
        int start = text.LastIndexOf('\n', word.Index) + 1;
        int end = text.IndexOf('\n', word.Index);
        ReadOnlySpan<char> line = text.AsSpan(start, (end < 0 ? text.Length : end) - start).Trim(" >-.,~/");
        if (!line.SequenceEqual(word.ValueSpan) || start == 0 || line.Length < ShortestLoneName || !char.IsUpper(line[0]))
            return false;

        string key = PersonNames.Key(line);
        bool ends = end < 0 || (text[start] == '>') != (text[end + 1] == '>');
        return people.OccursInName(key) || (ends && !people.IsCommon(key));
    }

    private bool IsGreeted(string text, Match word) =>
        char.IsUpper(word.ValueSpan[0]) && people.OccursInName(PersonNames.Key(word.ValueSpan))
        && Greeting().IsMatch(text.AsSpan(Math.Max(0, word.Index - 10), Math.Min(10, word.Index)));

    private static bool IsToken(string text, Match word) =>
        word.Index > 0 && text[word.Index - 1] == '<' && word.Index + word.Length < text.Length && text[word.Index + word.Length] == '>';

    // A header line that a reply or a forwarded mail quotes: an address, a list, perhaps over several lines, or a few capitalised words.
    [GeneratedRegex(
        @"(?<=^|\n)(?<field>(?:> )?\*?(?:From|To|Cc|CC|Bcc|Sent by|Reply-To|Sender|Author|Von|An)\*?:)(?:[^\n]*<mail>[^\n]*|[^\n]*[;,][^\n]*(?:\n(?:> )?[^\n:]*[;,][^\n:]*)*|[ ""'(]*\p{Lu}[\w.'-]*(?:[ ""'(),]+[\p{Lu}(][\w.')]*){0,4}[ ""']*)(?=\n|$)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Recipients();

    [GeneratedRegex(@"\p{Lu}[\w.'-]*(?: \p{Lu}[\w.'-]*){0,3}(?<verb> ?,? ?(?:<mail>,? )?(?:wrote|writes|schrieb) ?:)", RegexOptions.CultureInvariant)]
    private static partial Regex Attribution();

    [GeneratedRegex(
        @"(?<=^|\n)(?<closing>(?:> )?(?:Cheers|Thanks|Thank You|Regards|Best Regards|Kind Regards|Best Wishes|Sincerely|Sincerely Yours|Yours|Yours Truly|Best|Later|Bye)[,.!]?\n(?:> )?)\p{Lu}[\w.'-]*(?: \p{Lu}[\w.'-]*){0,2}(?=[,.]?(?:\n|$))",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex SignedLine();

    [GeneratedRegex(@"^(?:\.? |, ?|\.|\n(?:> )?)$", RegexOptions.CultureInvariant)]
    private static partial Regex Gap();

    [GeneratedRegex(@"\b(?:Hi|Hello|Dear|Hey|Thanks|Regards|Cheers),?\s$", RegexOptions.CultureInvariant)]
    private static partial Regex Greeting();

    [GeneratedRegex(@"<name>(?:'s)?(?:[ ,.]{1,2}(?:\p{Lu}\. ?)?<name>)+", RegexOptions.CultureInvariant)]
    private static partial Regex Neighbours();
}
