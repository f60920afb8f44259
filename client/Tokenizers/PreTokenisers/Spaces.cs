namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary>The part <c>\s+(?!\S)|\s+</c> that the known patterns end with.</summary>
internal static class Spaces
{
    /// <summary>End of the piece of white space that starts at <paramref name="start"/>: the whole run at the end of the text; else all but its last character, which may belong to the next word.</summary>
    public static int PieceEnd(ReadOnlySpan<char> text, int start)
    {
        // White space lies below U+FFFF, so every character of the run is one UTF-16 unit.
        int end = CharacterKinds.SkipWhile(text, start, CharacterKind.Space);
        return end == text.Length || end - start == 1 ? end : end - 1;
    }
}
