using System.Globalization;
using System.Text;

namespace Federated.Shared.Tensors;

/// <summary>Names and shapes as error messages show them. Names may come from an attacker: shortened, control characters escaped.</summary>
public static class TensorText
{
    private const int MaxShown = 120;
    private const int MaxCompared = 256;
    private const int MaxCandidates = 4096;

    /// <summary>A shape as (2, 3).</summary>
    /// <param name="shape">Sizes, the outermost first.</param>
    public static string Shape(IEnumerable<long> shape) => $"({string.Join(", ", shape)})";

    /// <summary>A name in quotes, at most 120 characters of it, control characters escaped.</summary>
    /// <param name="name">Any name, a hostile one too.</param>
    public static string Quote(string name) => $"'{Printable(name, MaxShown)}'";

    /// <summary>The first characters of a text, control characters escaped.</summary>
    /// <param name="text">Any text, a hostile one too.</param>
    /// <param name="most">Characters to show; three points follow where there were more.</param>
    public static string Printable(string text, int most)
    {
        StringBuilder shown = new();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, most)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029')
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                shown.Append(c);
        }

        return text.Length > most ? shown.Append("...").ToString() : shown.ToString();
    }

    /// <summary>Up to three of <paramref name="known"/> that look most like <paramref name="name"/>, as a sentence for an error message.</summary>
    /// <param name="name">What was looked for.</param>
    /// <param name="known">What there is.</param>
    public static string NearNames(string name, IEnumerable<string> known)
    {
        string[] near =
        [
            .. known.Take(MaxCandidates).Where(k => k.Length <= MaxCompared)
                .OrderBy(k => EditDistance(name, k)).ThenBy(k => k, StringComparer.Ordinal).Take(3).Select(Quote),
        ];
        return near.Length == 0 ? "It has no tensors." : $"Nearest names: {string.Join(", ", near)}.";
    }

    /// <summary>Levenshtein distance, two rows.</summary>
    private static int EditDistance(string left, string right)
    {
        ReadOnlySpan<char> a = left.AsSpan(0, Math.Min(left.Length, MaxCompared));
        Span<int> previous = stackalloc int[right.Length + 1];
        Span<int> current = stackalloc int[right.Length + 1];
        for (int j = 0; j <= right.Length; j++)
            previous[j] = j;

        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int replace = previous[j - 1] + (a[i - 1] == right[j - 1] ? 0 : 1);
                current[j] = Math.Min(replace, Math.Min(previous[j], current[j - 1]) + 1);
            }

            Span<int> done = current;
            current = previous;
            previous = done;
        }

        return previous[right.Length];
    }
}
