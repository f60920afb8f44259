namespace Federated.Client.Tokenizers;

/// <summary>A token that is recognised in a text as a whole, before anything else looks at the text.</summary>
/// <param name="Id">Its id, inside the model's vocabulary or beyond it.</param>
/// <param name="Content">The text that it matches.</param>
/// <param name="SingleWord">Match only where no word character stands right before or after.</param>
/// <param name="StripLeft">The match takes white space before it along.</param>
/// <param name="StripRight">The match takes white space after it along.</param>
/// <param name="Normalized">Look for it after normalisation instead of in the raw text.</param>
/// <param name="Special">Left out by decoding that skips special tokens.</param>
public sealed record AddedToken(
    int Id,
    string Content,
    bool SingleWord = false,
    bool StripLeft = false,
    bool StripRight = false,
    bool Normalized = false,
    bool Special = true);
