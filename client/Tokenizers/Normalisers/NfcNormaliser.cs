using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary><c>NFC</c>: composes accents and letters. Source: Unicode Standard Annex 15.</summary>
/// <remarks>The runtime's own <see cref="string.Normalize(NormalizationForm)"/> does nothing in invariant-globalization mode. Lone surrogates are kept.</remarks>
public sealed class NfcNormaliser : INormaliser
{
    /// <summary>Below this number no character combines with another: text of such characters is composed already.</summary>
    private const char FirstCombining = '\u0300';

    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        int unstable = FirstUnstable(text);
        if (unstable < 0)
            return text;

        // The character before may combine with the first one that does, and with nothing before itself unless it is one.
        int stable = Math.Max(0, unstable - 1);
        if (stable > 0 && char.IsLowSurrogate(text[stable]) && char.IsHighSurrogate(text[stable - 1]))
            stable--;

        List<int> codes = new(text.Length - stable);
        Decompose(text[stable..], codes);
        Order(codes);
        Compose(codes);
        buffer.Clear();
        buffer.Append(text[..stable]);
        Span<char> units = stackalloc char[2];
        foreach (int code in codes)
        {
            if (Rune.IsValid(code))
                buffer.Append(units[..new Rune(code).EncodeToUtf16(units)]);
            else
                buffer.Append([(char)code]);
        }

        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "NFC");
        json.WriteEndObject();
    }

    private static int FirstUnstable(ReadOnlySpan<char> text)
    {
        int position = text.IndexOfAnyExceptInRange('\0', (char)(FirstCombining - 1));
        for (; position >= 0 && position < text.Length; position++)
        {
            if (text[position] < FirstCombining)
                continue;

            if (CompositionTable.Instance.IsUnstable(CodeAt(text, position, out int length)))
                return position;

            position += length - 1;
        }

        return -1;
    }

    private static int CodeAt(ReadOnlySpan<char> text, int position, out int length)
    {
        bool pair = char.IsHighSurrogate(text[position]) && position + 1 < text.Length && char.IsLowSurrogate(text[position + 1]);
        length = pair ? 2 : 1;
        return pair ? char.ConvertToUtf32(text[position], text[position + 1]) : text[position];
    }

    private static void Decompose(ReadOnlySpan<char> text, List<int> codes)
    {
        for (int position = 0, length; position < text.Length; position += length)
            Decompose(CodeAt(text, position, out length), codes);
    }

    /// <summary>Depth is bounded by the table: Unicode's longest chain has four steps.</summary>
    private static void Decompose(int code, List<int> codes)
    {
        if (Hangul.TryDecompose(code, out int lead, out int vowel, out int trail))
        {
            codes.AddRange(trail == 0 ? [lead, vowel] : [lead, vowel, trail]);
        }
        else if (CompositionTable.Instance.Decompose(code) is { } parts)
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
        CompositionTable table = CompositionTable.Instance;
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
        CompositionTable table = CompositionTable.Instance;
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
