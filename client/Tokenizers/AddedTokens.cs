using System.Collections.Frozen;
using Federated.Client.Tokenizers.Python;

namespace Federated.Client.Tokenizers;

/// <summary>The added tokens of a tokenizer, checked against its model and indexed.</summary>
internal sealed class AddedTokens
{
    private readonly FrozenDictionary<int, AddedToken> _byId;
    private readonly FrozenDictionary<string, int> _ids;
    private readonly FrozenSet<string> _special;
    private readonly Dictionary<int, string> _normalisedContents = [];

    public AddedTokens(TokenizerParts parts)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        Dictionary<int, AddedToken> byId = [];
        foreach (AddedToken token in parts.AddedTokens)
        {
            Check(token, parts);
            if (!ids.TryAdd(token.Content, token.Id))
                throw Wrong(parts, token, $"it is added twice, with the ids {ids[token.Content]} and {token.Id}; wanted once.");

            if (!byId.TryAdd(token.Id, token))
                throw Wrong(parts, token, $"its id {token.Id} is also that of '{Vocabulary.Shown(byId[token.Id].Content)}'; wanted one of its own.");
        }

        (_ids, _byId) = (ids.ToFrozenDictionary(StringComparer.Ordinal), byId.ToFrozenDictionary());
        _special = parts.AddedTokens.Where(token => token.Special).Select(token => token.Content).ToFrozenSet(StringComparer.Ordinal);
        Size = byId.Count == 0 ? 0 : byId.Keys.Max() + 1;
        if (parts.Python is { } python)
        {
            Raw = parts.AddedTokens.Count == 0 || python.SplitsSpecialTokens ? null : new PythonTokenSplitter(parts.AddedTokens);
            return;
        }

        Raw = Matcher(parts.AddedTokens.Where(token => !token.Normalized));
        Normalised = Matcher(NormalisedTokens(parts));
    }

    /// <summary>Highest id plus one.</summary>
    public int Size { get; }

    /// <summary>Finds those looked for in raw text; null if there are none.</summary>
    public ITokenSplitter? Raw { get; }

    /// <summary>Finds those looked for in normalised text; null if there are none.</summary>
    public ITokenSplitter? Normalised { get; }

    public int? Id(string content) => _ids.TryGetValue(content, out int id) ? id : null;

    public string? Content(int id) => _byId.GetValueOrDefault(id)?.Content;

    /// <summary>What decoders see: the form that was looked for, as the tokenizers library has it since version 0.23.</summary>
    public string? DecodedContent(int id) => _normalisedContents.GetValueOrDefault(id) ?? Content(id);

    public bool IsSpecial(int id) => _byId.GetValueOrDefault(id) is { Special: true };

    /// <summary>Whether decoding that skips special tokens leaves this out. By content: the library does not know a token whose normalised form differs.</summary>
    public bool IsSpecial(string decodedContent) => _special.Contains(decodedContent);

    private static AddedTokenMatcher? Matcher(IEnumerable<AddedToken> tokens)
    {
        AddedToken[] all = [.. tokens];
        return all.Length == 0 ? null : new AddedTokenMatcher(all);
    }

    /// <summary>In normalised text, what is to be found is the token's normalised content.</summary>
    private List<AddedToken> NormalisedTokens(TokenizerParts parts)
    {
        TextBuffer[] buffers = [.. parts.Normalisers.Select(_ => new TextBuffer(parts.Source))];
        Dictionary<string, AddedToken> found = new(StringComparer.Ordinal);
        foreach (AddedToken token in parts.AddedTokens.Where(token => token.Normalized))
        {
            string normalised = Tokenizer.Normalise(token.Content, parts.Normalisers, buffers).ToString();
            if (normalised.Length == 0)
                throw Wrong(parts, token, "normalisation leaves nothing of it; set normalized to false.");

            if (!found.TryAdd(normalised, token with { Content = normalised }))
                throw Wrong(parts, token, $"normalised it is the same as id {found[normalised].Id}; set normalized to false on one of the two.");

            if (normalised != token.Content)
                _normalisedContents[token.Id] = normalised;
        }

        return [.. found.Values];
    }

    private static void Check(AddedToken token, TokenizerParts parts)
    {
        if (token.Content.Length is 0 or > TokenizerLimits.MaxTokenLength)
            throw Wrong(parts, token, $"it has {token.Content.Length} characters, wanted 1 to {TokenizerLimits.MaxTokenLength}.");

        if (token.Id is < 0 or >= TokenizerLimits.MaxVocabulary)
            throw Wrong(parts, token, $"its id is {token.Id}, wanted 0 to {TokenizerLimits.MaxVocabulary - 1}.");

        Vocabulary vocabulary = parts.Model.Vocabulary;
        if (vocabulary.Id(token.Content) is { } id && id != token.Id)
            throw Wrong(parts, token, $"added_tokens gives it the id {token.Id}, the model's vocabulary {id}; wanted the same.");

        if (vocabulary.Token(token.Id) is { } other && other != token.Content)
            throw Wrong(parts, token, $"its id {token.Id} is that of '{Vocabulary.Shown(other)}' in the model's vocabulary; wanted a free one.");
    }

    private static TokenizerFormatException Wrong(TokenizerParts parts, AddedToken token, string problem) =>
        new(parts.Source, $"added token '{Vocabulary.Shown(token.Content)}'", problem);
}
