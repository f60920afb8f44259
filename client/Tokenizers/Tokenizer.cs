using System.Collections.Concurrent;
using System.Text;

namespace Federated.Client.Tokenizers;

/// <summary>A tokenizer put together from stages as Hugging Face's tokenizers library does.</summary>
/// <remarks>
/// A text is cut at its added tokens; each stretch between them is normalised, cut into pieces, and each piece is turned into ids by the
/// model. Any number of threads may use one tokenizer; each call takes a workspace from a pool, so that steady use allocates nothing but the
/// caller's list.
/// </remarks>
public sealed class Tokenizer : ITokenizer
{
    /// <summary>How many times longer a text may become by normalisation. Unicode's own forms make at most 18 characters of one.</summary>
    private const int MaxGrowth = 32;

    private readonly AddedTokens _added;
    private readonly bool _mapsBytes;
    private readonly int? _lonePrefix;
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
        _lonePrefix = parts.Python?.LonePrefix is { } prefix ? TokenId(prefix) : null;
        Special = new(
            Role(parts.Special.Bos), Role(parts.Special.Eos), Role(parts.Special.Pad), Role(parts.Special.Unk),
            Role(parts.Special.Sep), Role(parts.Special.Cls), Role(parts.Special.Mask));

        // Made now, so that a model that cannot work on these pieces says so here and not at the first text.
        _idle.Add(new Workspace(this));
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
            if ((_added.DecodedContent(id) ?? Parts.Model.Vocabulary.Token(id)) is { } token && !(skipSpecialTokens && _added.IsSpecial(token)))
                tokens.Add(token);
        }

        if (Parts.Decoders.Count == 0)
            return string.Join(' ', tokens);

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

    /// <summary>Rewrites a text; buffers as many as stages.</summary>
    internal static ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, IReadOnlyList<INormaliser> stages, TextBuffer[] buffers)
    {
        long limit = (MaxGrowth * (long)text.Length) + (1 << 16);
        for (int stage = 0; stage < buffers.Length; stage++)
        {
            buffers[stage].Limit = limit;
            text = stages[stage].Normalise(text, buffers[stage]);
        }

        return text;
    }

    private void Encode(ReadOnlySpan<char> first, ReadOnlySpan<char> second, bool pair, List<int> ids, bool addSpecialTokens)
    {
        Workspace workspace = _idle.TryTake(out Workspace? taken) ? taken : new Workspace(this);
        foreach (TemplatePart part in Template.Parts(pair))
        {
            if (part.IsText)
                EncodeText(part.Text == 0 ? first : second, workspace, ids);
            else if (addSpecialTokens)
                ids.AddRange(part.Tokens);
        }

        _idle.Add(workspace);
    }

    private void EncodeText(ReadOnlySpan<char> text, Workspace workspace, List<int> ids)
    {
        text = WellFormed(text);
        if (Parts.Python is { } python)
            text = Normalise(text, python.Preparation, workspace.PreparationBuffers);

        if (text.IsEmpty)
            return;

        if (_added.Raw is not { } splitter)
        {
            EncodeStretch(text, begins: true, workspace, ids);
            return;
        }

        int start = ids.Count;
        List<TextSegment> segments = workspace.RawSegments;
        segments.Clear();
        splitter.Split(text, segments);
        for (int i = 0; i < segments.Count; i++)
        {
            if (segments[i].Token is { } token)
            {
                if (i == 1 && ids.Count == start + 1 && ids[start] == _lonePrefix && _added.IsSpecial(token))
                    ids.RemoveAt(start);

                ids.Add(token);
            }
            else
            {
                EncodeStretch(segments[i].Of(text), begins: segments[i].Start == 0, workspace, ids);
            }
        }
    }

    /// <summary>Normalises a stretch between tokens found in raw text, then cuts at the tokens that are looked for in normalised text.</summary>
    private void EncodeStretch(ReadOnlySpan<char> text, bool begins, Workspace workspace, List<int> ids)
    {
        text = Normalise(text, Parts.Normalisers, workspace.NormaliserBuffers);
        if (_added.Normalised is not { } splitter)
        {
            EncodePiece(text, stage: 0, begins, workspace, ids);
            return;
        }

        List<TextSegment> segments = workspace.NormalisedSegments;
        segments.Clear();
        splitter.Split(text, segments);
        foreach (TextSegment segment in segments)
        {
            if (segment.Token is { } token)
                ids.Add(token);
            else
                EncodePiece(segment.Of(text), stage: 0, begins && segment.Start == 0, workspace, ids);
        }
    }

    private void EncodePiece(ReadOnlySpan<char> text, int stage, bool begins, Workspace workspace, List<int> ids)
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
        text = splitter.Prepare(text, workspace.Buffers[stage], begins);
        splitter.Split(text, pieces);
        foreach (TextPiece piece in pieces)
            EncodePiece(text.Slice(piece.Start, piece.Length), stage + 1, begins && piece.Start == 0, workspace, ids);
    }

    /// <summary>The text with U+FFFD for each half of a surrogate pair, so that no stage has to think of those.</summary>
    private static ReadOnlySpan<char> WellFormed(ReadOnlySpan<char> text)
    {
        int surrogate = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        for (; surrogate >= 0 && surrogate < text.Length; surrogate++)
        {
            if (!char.IsSurrogate(text[surrogate]))
                continue;

            if (surrogate + 1 == text.Length || !char.IsSurrogatePair(text[surrogate], text[surrogate + 1]))
                return Replaced(text);

            surrogate++;
        }

        return text;
    }

    private static char[] Replaced(ReadOnlySpan<char> text)
    {
        List<char> result = new(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (Rune rune in text.EnumerateRunes())
            result.AddRange(units[..rune.EncodeToUtf16(units)]);

        return [.. result];
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
    private sealed class Workspace(Tokenizer tokenizer)
    {
        public IPieceEncoder Encoder { get; } = tokenizer.Parts.Model.CreateEncoder(tokenizer._mapsBytes);

        public TextBuffer[] PreparationBuffers { get; } = [.. (tokenizer.Parts.Python?.Preparation ?? []).Select(_ => new TextBuffer(tokenizer.Parts.Source))];

        public TextBuffer[] NormaliserBuffers { get; } = [.. tokenizer.Parts.Normalisers.Select(_ => new TextBuffer(tokenizer.Parts.Source))];

        public TextBuffer[] Buffers { get; } = [.. tokenizer.Parts.PreTokenisers.Select(_ => new TextBuffer(tokenizer.Parts.Source))];

        public List<TextPiece>[] Pieces { get; } = [.. tokenizer.Parts.PreTokenisers.Select(_ => new List<TextPiece>())];

        public List<TextSegment> RawSegments { get; } = [];

        public List<TextSegment> NormalisedSegments { get; } = [];
    }
}
