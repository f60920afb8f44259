using System.Buffers;
using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary><c>BertNormalizer</c>: cleans text up, sets Chinese characters apart, strips accents, makes lower case; each as wished.</summary>
/// <param name="CleanText"><c>clean_text</c>: control characters and U+FFFD are dropped, white space of any kind becomes a space.</param>
/// <param name="HandleChineseChars"><c>handle_chinese_chars</c>: a space before and after each Chinese character.</param>
/// <param name="StripAccents"><c>strip_accents</c>: letters are taken apart (NFD) and marks of category Mn dropped; null: if <paramref name="Lowercase"/>.</param>
/// <param name="Lowercase"><c>lowercase</c>.</param>
public sealed record BertNormaliser(bool CleanText = true, bool HandleChineseChars = true, bool? StripAccents = null, bool Lowercase = true) : INormaliser
{
    private static readonly UnicodeNormaliser Decomposed = new(UnicodeForm.NFD);

    /// <summary>Printable ASCII without capital letters: nothing to do for any setting.</summary>
    private static readonly SearchValues<char> LowerAscii = SearchValues.Create([.. Enumerable.Range(' ', 0x7F - ' ').Select(code => (char)code).Where(letter => letter is not (>= 'A' and <= 'Z'))]);

    /// <summary>A stretch of extension E that the tokenizers library leaves out, unlike BERT's own code.</summary>
    private const int SkippedFirst = 0x2B820;

    /// <summary>Its end.</summary>
    private const int SkippedLast = 0x2B91F;

    private bool DropsAccents => StripAccents ?? Lowercase;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        int change = Lowercase ? text.IndexOfAnyExcept(LowerAscii) : text.IndexOfAnyExceptInRange(' ', '~');
        if (change < 0)
            return text;

        if (CleanText || HandleChineseChars)
            text = Clean(text, change, buffer.Scratch);

        if (DropsAccents)
            text = Decomposed.Normalise(text, buffer.Scratch.Scratch);

        if (!DropsAccents && !Lowercase)
            return text;

        buffer.Clear();
        for (int position = 0, length; position < text.Length; position += length)
        {
            int plain = text[position..].IndexOfAnyExcept(LowerAscii);
            buffer.Append(plain < 0 ? text[position..] : text.Slice(position, plain));
            if (plain < 0)
                break;

            int code = CodePoints.At(text, position += plain, out length);
            if (!DropsAccents || !CharacterClasses.Is(code, CharacterClass.NonSpacingMark))
                LowercaseNormaliser.Append(code, Lowercase, buffer);
        }

        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BertNormalizer");
        json.WriteBoolean("clean_text", CleanText);
        json.WriteBoolean("handle_chinese_chars", HandleChineseChars);
        if (StripAccents is { } strip)
            json.WriteBoolean("strip_accents", strip);
        else
            json.WriteNull("strip_accents");

        json.WriteBoolean("lowercase", Lowercase);
        json.WriteEndObject();
    }

    /// <summary>Copies what is clean in stretches; <paramref name="position"/> is the first character that may not be.</summary>
    private ReadOnlySpan<char> Clean(ReadOnlySpan<char> text, int position, TextBuffer buffer)
    {
        buffer.Clear();
        int copied = 0;
        for (int length; position < text.Length; position += length)
        {
            int code = CodePoints.At(text, position, out length);
            bool control = CleanText && (code == Rune.ReplacementChar.Value || CharacterClasses.Is(code, CharacterClass.Control));
            bool space = CleanText && code != ' ' && CharacterClasses.Is(code, CharacterClass.Space);
            bool chinese = HandleChineseChars && CharacterClasses.IsChinese(code) && code is not (>= SkippedFirst and <= SkippedLast);
            if (!control && !space && !chinese)
                continue;

            buffer.Append(text[copied..position]);
            copied = position + length;
            if (control)
                continue;

            buffer.Append(' ');
            if (chinese)
            {
                buffer.Append(code);
                buffer.Append(' ');
            }
        }

        if (copied == 0)
            return text;

        buffer.Append(text[copied..]);
        return buffer.Text;
    }
}
