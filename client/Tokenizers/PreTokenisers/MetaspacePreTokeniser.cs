using System.Text.Json;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary>When <see cref="MetaspacePreTokeniser"/> puts its mark in front; named as in <c>tokenizer.json</c>.</summary>
public enum PrependScheme
{
    /// <summary>Of every stretch between added tokens.</summary>
    Always,

    /// <summary>Of a text's beginning only.</summary>
    First,

    /// <summary>Never.</summary>
    Never,
}

/// <summary><c>Metaspace</c>: writes spaces as a visible mark, U+2581 mostly, and cuts before each.</summary>
/// <param name="Replacement"><c>replacement</c>: the mark.</param>
/// <param name="Scheme"><c>prepend_scheme</c>.</param>
/// <param name="Cuts"><c>split</c>: whether to cut.</param>
public sealed record MetaspacePreTokeniser(
    char Replacement = MetaspacePreTokeniser.SpaceMark, PrependScheme Scheme = PrependScheme.Always, bool Cuts = true) : IPreTokeniser
{
    /// <summary>What SentencePiece writes spaces as: U+2581, a block at the foot of the line.</summary>
    public const char SpaceMark = '\u2581';

    /// <inheritdoc/>
    public ReadOnlySpan<char> Prepare(ReadOnlySpan<char> text, TextBuffer buffer, bool begins)
    {
        bool prepends = Scheme == PrependScheme.Always || (Scheme == PrependScheme.First && begins);
        prepends &= text.Length > 0 && text[0] != Replacement && text[0] != ' ';
        if (!prepends && !text.Contains(' '))
            return text;

        buffer.Clear();
        if (prepends)
            buffer.Append(Replacement);

        for (int space; (space = text.IndexOf(' ')) >= 0; text = text[(space + 1)..])
        {
            buffer.Append(text[..space]);
            buffer.Append(Replacement);
        }

        buffer.Append(text);
        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        for (int start = 0, next; start < text.Length; start += next)
        {
            next = Cuts ? text[(start + 1)..].IndexOf(Replacement) + 1 : 0;
            if (next == 0)
                next = text.Length - start;

            pieces.Add(new(start, next));
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json) => Write(json, Replacement, Scheme, Cuts);

    internal static void Write(Utf8JsonWriter json, char replacement, PrependScheme scheme, bool split)
    {
        json.WriteStartObject();
        json.WriteString("type", "Metaspace");
        json.WriteString("replacement", [replacement]);
        json.WriteString("prepend_scheme", scheme.ToString().ToLowerInvariant());
        json.WriteBoolean("split", split);
        json.WriteEndObject();
    }
}
