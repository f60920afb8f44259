using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Federated.Simulations.Data.Mail;

/// <summary>The people whom a collection of mails names, learnt from the collection itself, whatever the mails' labels are.</summary>
/// <remarks>
/// A word is common when at least <see cref="CommonShare"/> of its uses are lower-case ("mark", "will"), a name part when it occurs
/// in a person's name and people's names make up a fair share of the mails that use it ("Justin", but not "Linux").
/// Common parts are replaced as parts of a whole name only.
/// </remarks>
public sealed partial class PersonNames
{
    /// <summary>Share of lower-case uses from which on a word is common: 0.25.</summary>
    public const double CommonShare = 0.25;

    /// <summary>A name part is used by at most this many mails for each mail that names a person so: 6.</summary>
    public const int MailsPerNaming = 6;

    private static readonly FrozenSet<string> NoPerson = FrozenSet.ToFrozenSet(
        ["account", "accounts", "additional", "admin", "administration", "administrator", "african", "agency", "alert", "alerts", "america",
         "american", "announce", "apr", "april", "associates", "aug", "august", "bank", "british", "bulletin", "business", "care", "center",
         "centre", "chinese", "church", "city", "club", "college", "com", "comments", "company", "computer", "computing", "corp", "corporation",
         "county", "customer", "daemon", "daily", "dec", "december", "department", "dept", "developers", "digest", "direct", "east", "eastern",
         "editor", "english", "europe", "european", "feb", "february", "financial", "forum", "forwarded", "french", "fri", "friday", "friend",
         "friends", "german", "group", "groups", "hat", "help", "hong", "inc", "info", "information", "insider", "institute", "international",
         "internet", "investor", "ireland", "irish", "jan", "january", "journal", "jul", "july", "jun", "june", "las", "linux", "list", "lists",
         "llc", "los", "ltd", "magazine", "mail", "mailer", "mailing", "manager", "mar", "march", "marketing", "master", "may", "member", "members",
         "message", "microsoft", "mon", "monday", "network", "networks", "new", "news", "newsletter", "no", "noreply", "north", "northern",
         "notification", "nov", "november", "oct", "october", "offer", "offers", "office", "online", "opportunity", "original", "postmaster",
         "president", "press", "recipient", "recipients", "red", "reply", "report", "reports", "research", "saint", "sales", "san", "sat",
         "saturday", "school", "security", "sep", "sept", "september", "service", "services", "society", "software", "solutions", "south",
         "southern", "states", "store", "street", "subscriber", "sun", "sunday", "support", "system", "systems", "talk", "team", "technology", "the",
         "thu", "thursday", "tue", "tuesday", "undisclosed", "united", "university", "unix", "update", "updates", "user", "users", "web",
         "webmaster", "wed", "wednesday", "weekly", "west", "western", "windows", "wired", "world"],
        StringComparer.Ordinal);

    private readonly HashSet<string> _people = new(StringComparer.Ordinal);
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _mailsNaming = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _mailsUsing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Lower, int All)> _uses = new(StringComparer.Ordinal);

    /// <summary>Learns from one mail.</summary>
    /// <param name="text">Subject and body, addresses already replaced.</param>
    /// <param name="names">Names in its headers, quoted headers and attributions.</param>
    public void Learn(string text, IEnumerable<string> names)
    {
        HashSet<string> used = new(StringComparer.Ordinal);
        foreach (ValueMatch match in Word().EnumerateMatches(text))
        {
            ReadOnlySpan<char> word = text.AsSpan(match.Index, match.Length);
            string key = Key(word);
            (int lower, int all) = _uses.GetValueOrDefault(key);
            _uses[key] = (lower + (char.IsLower(word[0]) ? 1 : 0), all + 1);
            if (used.Add(key))
                _mailsUsing[key] = _mailsUsing.GetValueOrDefault(key) + 1;
        }

        HashSet<string> parts = new(StringComparer.Ordinal);
        foreach (string[] words in names.Select(Words).Where(MayBePerson))
        {
            _people.Add(string.Join(' ', words));
            parts.UnionWith(words);
            _given.Add(words[0]);
        }

        foreach (string part in parts)
            _mailsNaming[part] = _mailsNaming.GetValueOrDefault(part) + 1;
    }

    /// <summary>
    /// Whether the words, lower-case and without initials, are the whole name of a person of the collection and not all ordinary:
    /// bulk mail is sent in the name of "Great Deals".
    /// </summary>
    public bool IsPerson(string joined) => _people.Contains(joined) && !joined.Split(' ').All(IsCommon);

    /// <summary>Whether the lower-case word occurs in some person's name.</summary>
    public bool OccursInName(string key) => _mailsNaming.ContainsKey(key);

    /// <summary>Whether the lower-case word is the first of some person's name and no ordinary word.</summary>
    public bool IsGivenName(string key) => _given.Contains(key) && !IsCommon(key);

    /// <summary>Whether the lower-case word, written with a capital, stands for a person wherever it occurs.</summary>
    public bool IsNamePart(string key) =>
        key.Length > 2 && !IsCommon(key) && _mailsNaming.TryGetValue(key, out int naming)
        && _mailsUsing.GetValueOrDefault(key) <= MailsPerNaming * naming;

    /// <summary>Whether the lower-case word is an ordinary one.</summary>
    public bool IsCommon(string key) =>
        NoPerson.Contains(key) || (_uses.TryGetValue(key, out (int Lower, int All) uses) && uses.Lower >= CommonShare * uses.All && uses.Lower > 1);

    /// <summary>The words of a name in reading order, lower-case, initials and comments left out; "Last, First" is turned round.</summary>
    public static string[] Words(string name)
    {
        string plain = Aside().Replace(name, " ");
        int comma = plain.IndexOf(',', StringComparison.Ordinal);
        if (comma > 0)
            plain = $"{plain[(comma + 1)..]} {plain[..comma]}";

        return [.. Word().Matches(plain).Where(word => word.Length > 1).Select(word => Key(word.ValueSpan))];
    }

    /// <summary>The form in which words are compared: lower-case, without a possessive ending.</summary>
    public static string Key(ReadOnlySpan<char> word)
    {
        string lower = word.ToString().ToLowerInvariant().Replace('\u2019', '\'');
        return lower.EndsWith("'s", StringComparison.Ordinal) ? lower[..^2] : lower;
    }

    /// <summary>Words: letters, with inner apostrophes and hyphens.</summary>
    [GeneratedRegex(@"\p{L}+(?:['\u2019-]\p{L}+)*", RegexOptions.CultureInvariant)]
    public static partial Regex Word();

    private static bool MayBePerson(string[] words) => words.Length is 2 or 3 && !words.Any(NoPerson.Contains);

    [GeneratedRegex(@"\([^()]*\)|\[[^\[\]]*\]", RegexOptions.CultureInvariant)]
    private static partial Regex Aside();
}
