namespace Federated.Client.Tokenizers;

/// <summary>A stretch of text that is an added token, or that is not.</summary>
/// <param name="Start">First UTF-16 unit.</param>
/// <param name="Length">How many.</param>
/// <param name="Token">Id of the added token; null for text.</param>
internal readonly record struct TextSegment(int Start, int Length, int? Token)
{
    public int End => Start + Length;

    public ReadOnlySpan<char> Of(ReadOnlySpan<char> text) => text.Slice(Start, Length);

    /// <summary>The same end, another start.</summary>
    public TextSegment From(int start) => new(start, End - start, Token);

    /// <summary>The same start, another end.</summary>
    public TextSegment To(int end) => new(Start, end - Start, Token);
}

/// <summary>Cuts a text at its added tokens.</summary>
internal interface ITokenSplitter
{
    /// <summary>Appends tokens and the stretches between them that are not empty, in order.</summary>
    void Split(ReadOnlySpan<char> text, List<TextSegment> segments);
}
