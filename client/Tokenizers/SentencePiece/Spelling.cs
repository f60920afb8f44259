namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>A stretch of normalised text that is one piece.</summary>
/// <param name="Start">First UTF-16 unit.</param>
/// <param name="Length">How many.</param>
/// <param name="Id">The piece, the unknown one included.</param>
internal readonly record struct SpelledPart(int Start, int Length, int Id);

/// <summary>Spells normalised text with pieces.</summary>
internal interface ISpeller
{
    /// <summary>Appends the parts of a text in order, covering it.</summary>
    void Spell(ReadOnlySpan<char> text, List<SpelledPart> parts);
}
