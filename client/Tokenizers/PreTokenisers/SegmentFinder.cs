using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary>Finds where any pattern matches a text.</summary>
/// <remarks>
/// .NET's regular expressions see UTF-16 units, those of tokenizers code points. So the pattern runs on a copy of the text in which each
/// character beyond U+FFFF is replaced by one of the same general category below it.
/// </remarks>
internal sealed class SegmentFinder
{
    /// <summary>Longest time for one text: a pattern from a file must not stop the program for good.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private static readonly Dictionary<UnicodeCategory, char> Representatives = MakeRepresentatives();

    private readonly Regex _regex;
    private readonly bool _invert;

    public SegmentFinder(string pattern, bool isRegex, bool invert)
    {
        _regex = new Regex(isRegex ? pattern : Regex.Escape(pattern), RegexOptions.CultureInvariant | RegexOptions.Compiled, Timeout);
        _invert = invert;
    }

    /// <summary>Matches and what is between them, in order, covering the text.</summary>
    public ReadOnlySpan<Segment> Find(ReadOnlySpan<char> text)
    {
        int[]? units = null;
        ReadOnlySpan<char> searched = text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text : WithoutSurrogates(text, out units);
        List<Segment> segments = [];
        int position = 0;
        foreach (ValueMatch match in _regex.EnumerateMatches(searched))
        {
            int start = units is null ? match.Index : units[match.Index];
            int end = units is null ? match.Index + match.Length : units[match.Index + match.Length];
            if (start > position)
                segments.Add(new(position, start - position, _invert));

            segments.Add(new(start, end - start, !_invert));
            position = end;
        }

        if (position < text.Length)
            segments.Add(new(position, text.Length - position, _invert));

        return CollectionsMarshal.AsSpan(segments);
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
}
