namespace Federated.Client.Tokenizers;

/// <summary>Turns text into the token ids a model was trained on, and back.</summary>
/// <remarks>Implementations may be called by several threads at once.</remarks>
public interface ITokenizer
{
    /// <summary>Rows an embedding needs: the highest id in use, plus one.</summary>
    int VocabularySize { get; }

    /// <summary>The ids that have a role, as the tokenizer's files name them; null where a role is not taken.</summary>
    SpecialTokenIds Special { get; }

    /// <summary>The special tokens that stand around one text or a pair.</summary>
    TokenTemplate Template { get; }

    /// <summary>Appends the ids of <paramref name="text"/> to <paramref name="ids"/>.</summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="ids">Kept as it is and appended to.</param>
    /// <param name="addSpecialTokens">Puts the tokens of <see cref="Template"/> around the text. Special tokens written out in the text itself are recognised either way.</param>
    void Encode(ReadOnlySpan<char> text, List<int> ids, bool addSpecialTokens = true);

    /// <summary>Appends the ids of two texts that belong together, in the order and with the special tokens of <see cref="Template"/>.</summary>
    void EncodePair(ReadOnlySpan<char> first, ReadOnlySpan<char> second, List<int> ids, bool addSpecialTokens = true);

    /// <summary>The text of <paramref name="ids"/>. Bytes that are not UTF-8 become U+FFFD; an id without a token gives no text, since models may have more rows than tokens.</summary>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false);

    /// <summary>The id of a token as it stands in the vocabulary, or null.</summary>
    int? TokenId(string token);

    /// <summary>The token of an id as it stands in the vocabulary, or null.</summary>
    string? Token(int id);

    /// <summary>Whether the id is an added token marked special: one that <see cref="Decode"/> can skip.</summary>
    bool IsSpecial(int id);
}
