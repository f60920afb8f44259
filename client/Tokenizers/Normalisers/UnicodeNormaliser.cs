using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary>Unicode's normalisation forms, named as in <c>tokenizer.json</c>.</summary>
public enum UnicodeForm
{
    /// <summary>Accents and letters composed.</summary>
    NFC,

    /// <summary>Accents and letters apart.</summary>
    NFD,

    /// <summary>As NFC, and characters that only look different (ligatures, full width, circled digits) made alike.</summary>
    NFKC,

    /// <summary>As NFD, and characters that only look different made alike.</summary>
    NFKD,
}

/// <summary><c>NFC</c>, <c>NFD</c>, <c>NFKC</c>, <c>NFKD</c>. Source: Unicode Standard Annex 15.</summary>
/// <remarks>
/// The runtime's own <see cref="string.Normalize()"/> does nothing in invariant-globalization mode. Lone surrogates are kept. Text is taken apart
/// only around characters that may change: a stretch of those and the one character before it, with which they may combine.
/// </remarks>
/// <param name="form">The form wanted.</param>
public sealed class UnicodeNormaliser(UnicodeForm form) : INormaliser
{
    private readonly bool _composes = form is UnicodeForm.NFC or UnicodeForm.NFKC;
    private readonly bool _compatible = form is UnicodeForm.NFKC or UnicodeForm.NFKD;
    private readonly bool[] _unstable = MakeUnstable(form);

    /// <summary>The form wanted.</summary>
    public UnicodeForm Form => form;

    /// <summary>Below this number no character changes or combines with another.</summary>
    private char FirstUnstable => form switch { UnicodeForm.NFC => '\u0300', UnicodeForm.NFD => '\u00C0', _ => '\u00A0' };

    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        int unstable = NextUnstable(text, 0);
        if (unstable < 0)
            return text;

        List<int> codes = [];
        int position = 0;
        for (buffer.Clear(); unstable >= 0; unstable = NextUnstable(text, position))
        {
            int start = unstable;
            if (start > position)
            {
                CodePoints.Before(text, start, out int before);
                start -= before;
            }

            buffer.Append(text[position..start]);
            codes.Clear();
            for (position = start; position < text.Length; position += Decompose(text, position, codes))
            {
                if (position > unstable && !IsUnstable(CodePoints.At(text, position, out _)))
                    break;
            }

            Order(codes);
            if (_composes)
                Compose(codes);

            foreach (int code in codes)
                buffer.Append(code);
        }

        buffer.Append(text[position..]);
        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", form.ToString());
        json.WriteEndObject();
    }

    private static bool[] MakeUnstable(UnicodeForm form)
    {
        bool[] table = new bool[char.MaxValue + 1];
        for (int code = 0; code < table.Length; code++)
            table[code] = FindUnstable(code, form);

        return table;
    }

    private static bool FindUnstable(int code, UnicodeForm form)
    {
        DecompositionTable table = DecompositionTable.Instance;
        return form switch
        {
            UnicodeForm.NFC => table.UnstableComposed.Contains(code) || Hangul.IsTrailing(code),
            UnicodeForm.NFD => table.UnstableDecomposed.Contains(code) || Hangul.IsSyllable(code),
            UnicodeForm.NFKC => table.Compatible.Contains(code) || FindUnstable(code, UnicodeForm.NFC),
            _ => table.Compatible.Contains(code) || FindUnstable(code, UnicodeForm.NFD),
        };
    }

    private bool IsUnstable(int code) => code < _unstable.Length ? _unstable[code] : FindUnstable(code, form);

    private int NextUnstable(ReadOnlySpan<char> text, int position)
    {
        while (position < text.Length)
        {
            int skipped = text[position..].IndexOfAnyExceptInRange('\0', (char)(FirstUnstable - 1));
            if (skipped < 0)
                return -1;

            position += skipped;
            if (IsUnstable(CodePoints.At(text, position, out int length)))
                return position;

            position += length;
        }

        return -1;
    }

    private int Decompose(ReadOnlySpan<char> text, int position, List<int> codes)
    {
        Decompose(CodePoints.At(text, position, out int length), codes);
        return length;
    }

    /// <summary>Depth is bounded by the table: Unicode's longest chain has four steps.</summary>
    private void Decompose(int code, List<int> codes)
    {
        if (Hangul.TryDecompose(code, out int lead, out int vowel, out int trail))
        {
            codes.AddRange(trail == 0 ? [lead, vowel] : [lead, vowel, trail]);
        }
        else if (DecompositionTable.Instance.Decompose(code, _compatible) is { } parts)
        {
            foreach (int part in parts)
                Decompose(part, codes);
        }
        else
        {
            codes.Add(code);
        }
    }

    /// <summary>Puts each run of combining characters in the order of their classes; equal classes keep theirs.</summary>
    private static void Order(List<int> codes)
    {
        DecompositionTable table = DecompositionTable.Instance;
        for (int start = 0; start < codes.Count; start++)
        {
            int end = start;
            bool ordered = true;
            for (int before = 0; end < codes.Count && table.ClassOf(codes[end]) is > 0 and byte combining; end++)
            {
                ordered &= combining >= before;
                before = combining;
            }

            if (!ordered)
            {
                int[] run = [.. codes.GetRange(start, end - start).OrderBy(code => table.ClassOf(code))];
                for (int i = 0; i < run.Length; i++)
                    codes[start + i] = run[i];
            }

            start = end;
        }
    }

    private static void Compose(List<int> codes)
    {
        DecompositionTable table = DecompositionTable.Instance;
        Span<int> all = CollectionsMarshal.AsSpan(codes);
        int count = 0, starter = -1, previousClass = 0;
        foreach (int code in all)
        {
            int combining = table.ClassOf(code);

            // A character is blocked from its starter by one between them of the same or a higher class, or by another starter.
            bool adjacent = count - 1 == starter;
            if (starter >= 0 && (adjacent || (previousClass < combining && previousClass > 0)) && (Hangul.Compose(all[starter], code) ?? table.Compose(all[starter], code)) is { } composed)
            {
                all[starter] = composed;
                continue;
            }

            if (combining == 0)
                starter = count;

            previousClass = combining;
            all[count++] = code;
        }

        codes.RemoveRange(count, codes.Count - count);
    }
}
