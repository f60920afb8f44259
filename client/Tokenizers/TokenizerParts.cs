namespace Federated.Client.Tokenizers;

/// <summary>What a tokenizer is made of, in the order in which a text passes through it.</summary>
public sealed record TokenizerParts
{
    /// <summary>Tokens recognised as a whole before the stages see the text.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Stages that rewrite the text, one after the other.</summary>
    public IReadOnlyList<INormaliser> Normalisers { get; init; } = [];

    /// <summary>Stages that cut the text, each cutting the pieces of the one before.</summary>
    public IReadOnlyList<IPreTokeniser> PreTokenisers { get; init; } = [];

    /// <summary>Turns pieces into ids.</summary>
    public required ITokenModel Model { get; init; }

    /// <summary>Stages that add special tokens; at most one of them adds any.</summary>
    public IReadOnlyList<IPostProcessor> PostProcessors { get; init; } = [];

    /// <summary>Stages that turn tokens into text, one after the other.</summary>
    public IReadOnlyList<IDecoder> Decoders { get; init; } = [];

    /// <summary>Set for the vocabulary files that tokenizers in Python read; null for those of the tokenizers library.</summary>
    public Python.PythonRules? Python { get; init; }

    /// <summary>Which token takes which role.</summary>
    public SpecialTokens Special { get; init; } = SpecialTokens.None;

    /// <summary>Where all this comes from, for error messages.</summary>
    public string Source { get; init; } = "tokenizer";
}
