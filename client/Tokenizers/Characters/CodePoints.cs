namespace Federated.Client.Tokenizers.Characters;

/// <summary>Reads text character by character, as Unicode counts them. Half of a surrogate pair counts as a character of its own.</summary>
internal static class CodePoints
{
    /// <summary>The character at a place and the number of its UTF-16 units.</summary>
    public static int At(ReadOnlySpan<char> text, int position, out int length)
    {
        char unit = text[position];
        bool pair = char.IsHighSurrogate(unit) && position + 1 < text.Length && char.IsLowSurrogate(text[position + 1]);
        length = pair ? 2 : 1;
        return pair ? char.ConvertToUtf32(unit, text[position + 1]) : unit;
    }

    /// <summary>The character that ends before a place and the number of its UTF-16 units.</summary>
    public static int Before(ReadOnlySpan<char> text, int position, out int length)
    {
        char unit = text[position - 1];
        bool pair = char.IsLowSurrogate(unit) && position > 1 && char.IsHighSurrogate(text[position - 2]);
        length = pair ? 2 : 1;
        return pair ? char.ConvertToUtf32(text[position - 2], unit) : unit;
    }

    /// <summary>How many characters a text has.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        int count = 0;
        for (int position = 0, length; position < text.Length; position += length)
        {
            At(text, position, out length);
            count++;
        }

        return count;
    }

    /// <summary>Takes white space off either end.</summary>
    public static ReadOnlySpan<char> Trim(ReadOnlySpan<char> text, bool start, bool end) => (start, end) switch
    {
        (true, true) => text.Trim(),
        (true, false) => text.TrimStart(),
        (false, true) => text.TrimEnd(),
        _ => text,
    };
}
