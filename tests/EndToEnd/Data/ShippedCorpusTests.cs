using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Federated.Simulations.Data;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Data;

/// <summary>What the corpus file in the repository promises, checked on the file itself and by other means than those that made it.</summary>
public sealed partial class ShippedCorpusTests
{
    private static readonly string File = Path.Combine(Repository.Root, "simulations", "data", "spamassassin.jsonl.br");
    private static readonly string Readme = System.IO.File.ReadAllText(Path.Combine(Repository.Root, "simulations", "data", "README.md"));
    private static readonly IReadOnlyList<MailRecord> Corpus = MailCorpus.Load(File);

    [Fact]
    public void File_SizeAndHash_AreThoseOfTheReadme()
    {
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        Assert.InRange(bytes.Length, 1, 4_000_000);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(bytes)), Readme, StringComparison.Ordinal);
        Assert.Contains(bytes.Length.ToString("N0", CultureInfo.InvariantCulture), Readme, StringComparison.Ordinal);
    }

    [Fact]
    public void File_BesideTheBuild_IsTheSame() =>
        Assert.Equal(System.IO.File.ReadAllBytes(File), System.IO.File.ReadAllBytes(MailCorpus.DefaultPath));

    [Fact]
    public void Counts_OfEachFolderAndSplit_AreThoseOfTheReadme()
    {
        foreach (string folder in MailFolders.All)
        {
            int[] counts = [.. MailSplits.All.Select(split => Corpus.Count(mail => mail.Folder == folder && mail.Split == split))];
            Assert.Matches($@"\| {folder} \| +{string.Join(@" \| +", counts.Select(count => count.ToString("N0", CultureInfo.InvariantCulture)))} \|", Readme);
        }
    }

    [Fact]
    public void Test_IsBalancedAndHasEveryFolder()
    {
        MailRecord[] test = [.. Corpus.Where(mail => mail.Split == MailSplits.Test)];
        Assert.Equal(250, test.Count(mail => mail.Label == MailFolders.Ham));
        Assert.Equal(250, test.Count(mail => mail.Label == MailFolders.Spam));
        Assert.All(MailFolders.All, folder => Assert.True(test.Count(mail => mail.Folder == folder) >= 25));
    }

    [Fact]
    public void Splits_AcrossThem_NoTwoMailsReachTheThreshold()
    {
        // Every pair that shares a word trigram is counted over an inverted index: no sampling, no prefix filter, own trigrams.
        string[][] trigrams = [.. Corpus.Select(mail => Trigrams(mail.Text))];
        Dictionary<string, List<int>> index = [];
        for (int mail = 0; mail < trigrams.Length; mail++)
        {
            foreach (string trigram in trigrams[mail])
            {
                if (!index.TryGetValue(trigram, out List<int>? mails))
                    index[trigram] = mails = [];

                mails.Add(mail);
            }
        }

        double worst = 0;
        int[] shared = new int[Corpus.Count];
        for (int mail = 0; mail < Corpus.Count; mail++)
        {
            if (Corpus[mail].Split == MailSplits.Train)
                continue;

            Array.Clear(shared);
            foreach (int other in trigrams[mail].SelectMany(trigram => index[trigram]))
                shared[other]++;

            for (int other = 0; other < shared.Length; other++)
            {
                if (Corpus[other].Split != Corpus[mail].Split)
                    worst = Math.Max(worst, (double)shared[other] / (trigrams[mail].Length + trigrams[other].Length - shared[other]));
            }
        }

        Assert.InRange(worst, 0.3, MailPreparation.DuplicateThreshold - 1e-9);
    }

    [Fact]
    public void Texts_AnywhereInTheFile_HoldNoAddressAndNoTelephoneNumber()
    {
        foreach (Regex trace in new[] { Mail(), Link(), Address(), NorthAmericanNumber(), InternationalNumber(), LocalNumber(), LongNumber() })
        {
            string? found = Corpus.Where(mail => trace.IsMatch(mail.Text)).Select(mail => $"{mail.Id}: {trace.Match(mail.Text).Value}").FirstOrDefault();
            Assert.True(found is null, $"{trace} matches {found}");
        }
    }

    [Fact]
    public void Texts_PlacesOfHeaderNames_HoldTokensOnly()
    {
        foreach (Regex trace in new[] { AttributedName(), QuotedSender() })
        {
            string? found = Corpus.Where(mail => trace.IsMatch(mail.Text)).Select(mail => $"{mail.Id}: {trace.Match(mail.Text).Value}").FirstOrDefault();
            Assert.True(found is null, $"{trace} matches {found}");
        }
    }

    [Fact]
    public void Texts_Each_AreTidyAndOfTheStatedLength()
    {
        Assert.All(Corpus, mail =>
        {
            Assert.InRange(mail.Text.Length, 20, MailPreparation.MaxTextLength);
            Assert.DoesNotContain("\n\n", mail.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(mail.Text, c => char.IsControl(c) && c != '\n');
        });
    }

    private static string[] Trigrams(string text)
    {
        List<string> words = [];
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool inside = i < text.Length && (char.IsLetter(text[i]) || char.IsDigit(text[i]));
            if (inside && start < 0)
            {
                start = i;
            }
            else if (!inside && start >= 0)
            {
                words.Add(text[start..i].ToLowerInvariant());
                start = -1;
            }
        }

        return words.Count < 3
            ? [string.Join(' ', words)]
            : [.. Enumerable.Range(0, words.Count - 2).Select(i => $"{words[i]} {words[i + 1]} {words[i + 2]}").Distinct()];
    }

    [GeneratedRegex(@"\w ?@ ?\w")]
    private static partial Regex Mail();

    [GeneratedRegex(@"https?:/|www\.\w|mailto:", RegexOptions.IgnoreCase)]
    private static partial Regex Link();

    [GeneratedRegex(@"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")]
    private static partial Regex Address();

    [GeneratedRegex(@"\(?\b\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}\b")]
    private static partial Regex NorthAmericanNumber();

    [GeneratedRegex(@"\+\d[\d ().-]{7,}\d")]
    private static partial Regex InternationalNumber();

    [GeneratedRegex(@"(?<![\d.])\b\d{3}-\d{4}\b(?!-)")]
    private static partial Regex LocalNumber();

    [GeneratedRegex(@"\d{7,}")]
    private static partial Regex LongNumber();

    [GeneratedRegex(@"\p{Lu}\p{Ll}+ \p{Lu}\p{Ll}+ (?:wrote|writes):")]
    private static partial Regex AttributedName();

    [GeneratedRegex(@"^(?:> )?(?:From|To|Cc): \p{Lu}\p{Ll}+ \p{Lu}\p{Ll}+$", RegexOptions.Multiline)]
    private static partial Regex QuotedSender();
}
