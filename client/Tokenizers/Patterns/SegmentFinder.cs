using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Federated.Client.Tokenizers.Patterns;

/// <summary>Finds where any pattern matches a text.</summary>
/// <remarks>
/// .NET's regular expressions see UTF-16 units, those of tokenizers code points. So the pattern runs on a copy of the text in which each
/// character beyond U+FFFF is replaced by one of the same general category below it. A pattern from a file must not stop the program: it runs
/// in linear time where .NET can do that (without look-around and back-references), else for a time that grows with the text and ends.
/// </remarks>
internal sealed class SegmentFinder
{
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(2);

    /// <summary>Far slower than any sensible pattern on any machine.</summary>
    private const int CharactersPerSecond = 100_000;

    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.Multiline;

    private static readonly Dictionary<UnicodeCategory, char> Representatives = MakeRepresentatives();

    private readonly Regex? _regex;
    private readonly string _pattern;
    private readonly string _source;
    private readonly string _place;

    /// <param name="pattern">Regular expression of Oniguruma's dialect, or literal text.</param>
    /// <param name="isRegex">Which of the two it is.</param>
    /// <param name="source">File that the pattern comes from.</param>
    /// <param name="place">Where in the file.</param>
    /// <exception cref="TokenizerFormatException">The pattern is empty, too long, or not one that .NET can run.</exception>
    public SegmentFinder(string pattern, bool isRegex, string source, string place)
    {
        (_pattern, _source, _place) = (pattern, source, place);
        if (pattern.Length is 0 or > TokenizerLimits.MaxTokenLength)
            throw Wrong($"got a pattern of {pattern.Length} characters; wanted 1 to {TokenizerLimits.MaxTokenLength}.");

        if (!isRegex)
            return;

        try
        {
            string translated = RegexTranslation.ToNet(pattern);
            _regex = Linear(translated) ?? new Regex(translated, Options | RegexOptions.Compiled, LeastTime);
        }
        catch (ArgumentException wrong)
        {
            throw Wrong($"got the pattern '{Vocabulary.Shown(pattern)}', which .NET cannot run ({wrong.Message}); wanted one without names of scripts and nested classes.");
        }
    }

    /// <summary>Appends the matches and what is between them, in order, covering the text.</summary>
    /// <exception cref="TokenizerFormatException">The pattern takes too long on this text.</exception>
    public void Find(ReadOnlySpan<char> text, List<Segment> segments)
    {
        int end = _regex is null ? FindLiteral(text, segments) : FindRegex(text, segments);
        if (end < text.Length)
            segments.Add(new(end, text.Length - end, IsMatch: false));
    }

    private static Regex? Linear(string pattern)
    {
        try
        {
            return new Regex(pattern, Options | RegexOptions.NonBacktracking, LeastTime);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    private int FindLiteral(ReadOnlySpan<char> text, List<Segment> segments)
    {
        int position = 0;
        for (int skipped; (skipped = text[position..].IndexOf(_pattern, StringComparison.Ordinal)) >= 0; position += skipped + _pattern.Length)
        {
            if (skipped > 0)
                segments.Add(new(position, skipped, IsMatch: false));

            segments.Add(new(position + skipped, _pattern.Length, IsMatch: true));
        }

        return position;
    }

    private int FindRegex(ReadOnlySpan<char> text, List<Segment> segments)
    {
        int[]? units = null;
        ReadOnlySpan<char> searched = text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text : WithoutSurrogates(text, out units);
        TimeSpan limit = LeastTime + TimeSpan.FromSeconds((double)text.Length / CharactersPerSecond);
        long started = Stopwatch.GetTimestamp();
        int position = 0;
        try
        {
            foreach (ValueMatch match in _regex!.EnumerateMatches(searched))
            {
                int start = units is null ? match.Index : units[match.Index];
                int end = units is null ? match.Index + match.Length : units[match.Index + match.Length];
                if (start > position)
                    segments.Add(new(position, start - position, IsMatch: false));

                segments.Add(new(start, end - start, IsMatch: true));
                position = end;
                if (Stopwatch.GetElapsedTime(started) > limit)
                    throw TooSlow(text.Length);
            }
        }
        catch (RegexMatchTimeoutException)
        {
            throw TooSlow(text.Length);
        }

        return position;
    }

    /// <summary>The text with one UTF-16 unit a character; <paramref name="units"/> gives each one's place in the original, and the end.</summary>
    private static char[] WithoutSurrogates(ReadOnlySpan<char> text, out int[] units)
    {
        List<char> characters = new(text.Length);
        List<int> places = new(text.Length + 1);
        int place = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            // A lone surrogate is enumerated as U+FFFD, which is one unit as well.
            characters.Add(rune.IsBmp ? (char)rune.Value : Representatives.GetValueOrDefault(Rune.GetUnicodeCategory(rune), '\uFFFD'));
            places.Add(place);
            place += rune.Utf16SequenceLength;
        }

        places.Add(place);
        units = [.. places];
        return [.. characters];
    }

    /// <summary>For each category its last character below the private use area, so that no pattern is likely to name it.</summary>
    private static Dictionary<UnicodeCategory, char> MakeRepresentatives()
    {
        Dictionary<UnicodeCategory, char> representatives = [];
        for (char character = '\u0100'; character < '\uD800'; character++)
            representatives[CharUnicodeInfo.GetUnicodeCategory(character)] = character;

        return representatives;
    }

    private TokenizerFormatException TooSlow(int length) =>
        Wrong($"the pattern '{Vocabulary.Shown(_pattern)}' takes too long on a text of {length} characters; wanted one without repetitions inside repetitions.");

    private TokenizerFormatException Wrong(string problem) => new(_source, _place, problem);
}
