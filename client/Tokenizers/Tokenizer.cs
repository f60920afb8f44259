using System.Collections.Concurrent;

namespace Federated.Client.Tokenizers;

/// <summary>A tokenizer put together from stages as Hugging Face's tokenizers library does.</summary>
/// <remarks>
/// A text is cut at its added tokens; each stretch between them is normalised, cut into pieces, and each piece is turned into ids by the
/// model. Any number of threads may use one tokenizer; each call takes a workspace from a pool, so that steady use allocates nothing but the
/// caller's list.
/// </remarks>
public sealed class Tokenizer : ITokenizer
{
    private readonly AddedTokens _added;
    private readonly bool _mapsBytes;
    private readonly ConcurrentBag<Workspace> _idle = [];

    /// <summary>Puts the parts together and checks that they fit.</summary>
    /// <exception cref="TokenizerFormatException">Added tokens contradict the vocabulary or each other, a role names an unknown token, or stages do not go together.</exception>
    public Tokenizer(TokenizerParts parts)
    {
        Parts = parts;
        _added = new AddedTokens(parts);
        _mapsBytes = parts.PreTokenisers.Any(stage => stage.MapsBytes);
        if (parts.PreTokenisers.SkipLast(1).Any(stage => stage.MapsBytes))
            throw new TokenizerFormatException(parts.Source, "pre_tokenizer", "ByteLevel is followed by another stage; wanted it last.");

        TokenTemplate[] templates = [.. parts.PostProcessors.Select(stage => stage.Template).OfType<TokenTemplate>()];
        if (templates.Length > 1)
            throw new TokenizerFormatException(parts.Source, "post_processor", $"{templates.Length} post-processors add special tokens; wanted at most one.");

        Template = templates is [var template] ? template : TokenTemplate.Plain;
        VocabularySize = Math.Max(parts.Model.Vocabulary.Size, _added.Size);
        CheckTemplate();
        Special = new(
            Role(parts.Special.Bos), Role(parts.Special.Eos), Role(parts.Special.Pad), Role(parts.Special.Unk),
            Role(parts.Special.Sep), Role(parts.Special.Cls), Role(parts.Special.Mask));

        // Made now, so that a model that cannot work on these pieces says so here and not at the first text.
        _idle.Add(new Workspace(parts, _mapsBytes));
    }

    /// <summary>What the tokenizer was made of.</summary>
    public TokenizerParts Parts { get; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    public SpecialTokenIds Special { get; }

    /// <inheritdoc/>
    public TokenTemplate Template { get; }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<char> text, List<int> ids, bool addSpecialTokens = true) =>
        Encode(text, default, pair: false, ids, addSpecialTokens);

    /// <inheritdoc/>
    public void EncodePair(ReadOnlySpan<char> first, ReadOnlySpan<char> second, List<int> ids, bool addSpecialTokens = true) =>
        Encode(first, second, pair: true, ids, addSpecialTokens);

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        List<string> tokens = new(ids.Length);
        foreach (int id in ids)
        {
            if (Token(id) is { } token && !(skipSpecialTokens && IsSpecial(id)))
                tokens.Add(token);
        }

        foreach (IDecoder decoder in Parts.Decoders)
            decoder.Decode(tokens);

        return string.Concat(tokens);
    }

    /// <inheritdoc/>
    public int? TokenId(string token) => _added.Id(token) ?? Parts.Model.Vocabulary.Id(token);

    /// <inheritdoc/>
    public string? Token(int id) => _added.Content(id) ?? Parts.Model.Vocabulary.Token(id);

    /// <inheritdoc/>
    public bool IsSpecial(int id) => _added.IsSpecial(id);

    private void Encode(ReadOnlySpan<char> first, ReadOnlySpan<char> second, bool pair, List<int> ids, bool addSpecialTokens)
    {
        Workspace workspace = _idle.TryTake(out Workspace? taken) ? taken : new Workspace(Parts, _mapsBytes);
        foreach (TemplatePart part in Template.Parts(pair))
        {
            if (part.IsText)
                EncodeText(part.Text == 0 ? first : second, workspace, ids);
            else if (addSpecialTokens)
                ids.AddRange(part.Tokens);
        }

        _idle.Add(workspace);
    }

    /// <summary>Cuts at the added tokens that are looked for in the raw text.</summary>
    private void EncodeText(ReadOnlySpan<char> text, Workspace workspace, List<int> ids)
    {
        int position = 0;
        while (_added.Raw is { } matcher && matcher.TryFind(text, position, out int start, out int end, out AddedToken token))
        {
            EncodeRaw(text[position..start], workspace, ids);
            ids.Add(token.Id);
            position = end;
        }

        EncodeRaw(text[position..], workspace, ids);
    }

    /// <summary>Normalises, then cuts at the added tokens that are looked for in normalised text.</summary>
    private void EncodeRaw(ReadOnlySpan<char> text, Workspace workspace, List<int> ids)
    {
        for (int stage = 0; stage < Parts.Normalisers.Count; stage++)
            text = Parts.Normalisers[stage].Normalise(text, workspace.NormaliserBuffers[stage]);

        int position = 0;
        while (_added.Normalised is { } matcher && matcher.TryFind(text, position, out int start, out int end, out AddedToken token))
        {
            EncodeStretch(text[position..start], stage: 0, workspace, ids);
            ids.Add(token.Id);
            position = end;
        }

        EncodeStretch(text[position..], stage: 0, workspace, ids);
    }

    private void EncodeStretch(ReadOnlySpan<char> text, int stage, Workspace workspace, List<int> ids)
    {
        if (text.IsEmpty)
            return;

        if (stage == Parts.PreTokenisers.Count)
        {
            workspace.Encoder.Encode(text, ids);
            return;
        }

        IPreTokeniser splitter = Parts.PreTokenisers[stage];
        List<TextPiece> pieces = workspace.Pieces[stage];
        pieces.Clear();
        text = splitter.Prepare(text, workspace.Buffers[stage]);
        splitter.Split(text, pieces);
        foreach (TextPiece piece in pieces)
            EncodeStretch(text.Slice(piece.Start, piece.Length), stage + 1, workspace, ids);
    }

    private int? Role(string? token) => token is null
        ? null
        : TokenId(token) ?? throw new TokenizerFormatException(Parts.Source, "special tokens", $"'{Vocabulary.Shown(token)}' has a role but no id; add it to added_tokens.");

    private void CheckTemplate()
    {
        foreach (int id in Template.ForOne.Concat(Template.ForPair).SelectMany(part => part.Tokens))
        {
            if (Token(id) is null)
                throw new TokenizerFormatException(Parts.Source, "post_processor", $"it adds id {id}, which no token has; ids go up to {VocabularySize - 1}.");
        }
    }

    /// <summary>What one call needs to itself.</summary>
    private sealed class Workspace(TokenizerParts parts, bool mapsBytes)
    {
        public IPieceEncoder Encoder { get; } = parts.Model.CreateEncoder(mapsBytes);

        public TextBuffer[] NormaliserBuffers { get; } = [.. parts.Normalisers.Select(_ => new TextBuffer())];

        public TextBuffer[] Buffers { get; } = [.. parts.PreTokenisers.Select(_ => new TextBuffer())];

        public List<TextPiece>[] Pieces { get; } = [.. parts.PreTokenisers.Select(_ => new List<TextPiece>())];
    }
}
