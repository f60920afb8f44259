namespace Federated.Client.Tokenizers.Python;

/// <summary>
/// How a tokenizer of the transformers library that is written in Python (a "slow" one) goes about a text, where it differs from the tokenizers
/// library: it rewrites the whole text before it looks for added tokens, and looks for all of them there and then.
/// </summary>
public sealed record PythonRules
{
    /// <summary>Stages that rewrite a text as a whole.</summary>
    public IReadOnlyList<INormaliser> Preparation { get; init; } = [];

    /// <summary>A token that is dropped if it is all that stands before a special token at the beginning of a text; null for none.</summary>
    public string? LonePrefix { get; init; }

    /// <summary><c>split_special_tokens</c>: added tokens written out in a text are ordinary text.</summary>
    public bool SplitsSpecialTokens { get; init; }
}
