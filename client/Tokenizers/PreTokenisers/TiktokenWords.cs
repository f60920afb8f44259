namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary>Cuts text as the regular expression of GPT-4, Llama 3 and Qwen2 does, by hand.</summary>
/// <remarks>
/// The pattern: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>, with
/// <c>\p{N}</c> in Qwen2 and <c>\p{N}{1,3}</c> in the others.
/// </remarks>
/// <param name="maxDigits">Digits of a piece.</param>
internal sealed class TiktokenWords(int maxDigits)
{
    /// <summary>The form with single digits.</summary>
    public static readonly string Qwen2Pattern = Pattern(@"\p{N}");

    /// <summary>The patterns that this class stands for, with the digits of each.</summary>
    public static IReadOnlyDictionary<string, TiktokenWords> ByPattern { get; } = new Dictionary<string, TiktokenWords>
    {
        [Qwen2Pattern] = new(1),
        [Pattern(@"\p{N}{1,3}")] = new(3),
    };

    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = PieceEnd(text, start);
            pieces.Add(new(start, end - start));
            start = end;
        }
    }

    private static string Pattern(string digits) =>
        $@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private int PieceEnd(ReadOnlySpan<char> text, int start)
    {
        if (text[start] == '\'' && Contraction(text[(start + 1)..]) is > 0 and int letters)
            return start + 1 + letters;

        CharacterKind kind = CharacterKinds.At(text, start, out int length);
        int next = start + length;
        if (kind == CharacterKind.Letter)
            return CharacterKinds.SkipWhile(text, next, CharacterKind.Letter);

        if (kind == CharacterKind.Number)
            return NumberEnd(text, next);

        CharacterKind nextKind = next < text.Length ? CharacterKinds.At(text, next, out _) : CharacterKind.Space;
        if (nextKind == CharacterKind.Letter && text[start] is not ('\r' or '\n'))
            return CharacterKinds.SkipWhile(text, next, CharacterKind.Letter);

        if (kind == CharacterKind.Other || (text[start] == ' ' && nextKind == CharacterKind.Other))
            return SkipLineEnds(text, CharacterKinds.SkipWhile(text, kind == CharacterKind.Other ? start : next, CharacterKind.Other));

        int spaceEnd = CharacterKinds.SkipWhile(text, start, CharacterKind.Space);
        int lastLineEnd = text[start..spaceEnd].LastIndexOfAny('\r', '\n');
        return lastLineEnd >= 0 ? start + lastLineEnd + 1 : Spaces.PieceEnd(text, start);
    }

    private int NumberEnd(ReadOnlySpan<char> text, int position)
    {
        for (int digits = 1; digits < maxDigits && position < text.Length && CharacterKinds.At(text, position, out int length) == CharacterKind.Number; digits++)
            position += length;

        return position;
    }

    private static int SkipLineEnds(ReadOnlySpan<char> text, int position)
    {
        while (position < text.Length && text[position] is '\r' or '\n')
            position++;

        return position;
    }

    /// <summary>Without regard to case; the long s (U+017F) is an s then.</summary>
    private static int Contraction(ReadOnlySpan<char> rest) => rest switch
    {
        ['s' or 'S' or 'ſ' or 't' or 'T' or 'm' or 'M' or 'd' or 'D', ..] => 1,
        ['r' or 'R' or 'v' or 'V', 'e' or 'E', ..] or ['l' or 'L', 'l' or 'L', ..] => 2,
        _ => 0,
    };
}
