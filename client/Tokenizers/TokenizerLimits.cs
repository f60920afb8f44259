namespace Federated.Client.Tokenizers;

/// <summary>Bounds on what a tokenizer file may ask for, checked before memory is taken.</summary>
/// <remarks>The largest public vocabularies have about 262,000 tokens in 34 MB of JSON; these leave room above them.</remarks>
public static class TokenizerLimits
{
    /// <summary>Bytes of one file.</summary>
    public const long MaxFileBytes = 128L << 20;

    /// <summary>Highest id plus one.</summary>
    public const int MaxVocabulary = 1 << 21;

    /// <summary>Merges of one BPE model.</summary>
    public const int MaxMerges = 1 << 21;

    /// <summary>Added tokens, which are searched for in every text.</summary>
    public const int MaxAddedTokens = 1 << 16;

    /// <summary>UTF-16 units of one token.</summary>
    public const int MaxTokenLength = 1 << 12;

    /// <summary>Characters of a word that WordPiece spells; a model may set a lower limit.</summary>
    public const int MaxWordCharacters = 1 << 20;

    /// <summary>Stages of one kind in a row.</summary>
    public const int MaxStages = 16;
}
