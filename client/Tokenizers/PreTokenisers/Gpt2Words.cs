namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary>Cuts text as GPT-2's regular expression does, by hand and so many times faster.</summary>
/// <remarks>The pattern: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.</remarks>
internal static class Gpt2Words
{
    public const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public static void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = PieceEnd(text, start);
            pieces.Add(new(start, end - start));
            start = end;
        }
    }

    private static int PieceEnd(ReadOnlySpan<char> text, int start)
    {
        if (text[start] == '\'' && Contraction(text[(start + 1)..]) is > 0 and int letters)
            return start + 1 + letters;

        int body = text[start] == ' ' && start + 1 < text.Length ? start + 1 : start;
        CharacterKind kind = CharacterKinds.At(text, body, out int length);
        return kind == CharacterKind.Space
            ? Spaces.PieceEnd(text, start)
            : CharacterKinds.SkipWhile(text, body + length, kind);
    }

    private static int Contraction(ReadOnlySpan<char> rest) => rest switch
    {
        ['s' or 't' or 'm' or 'd', ..] => 1,
        ['r', 'e', ..] or ['v', 'e', ..] or ['l', 'l', ..] => 2,
        _ => 0,
    };
}
