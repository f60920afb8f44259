using System.Collections.Frozen;
using Federated.Client.Tokenizers.Decoders;
using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.Patterns;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Which <c>type</c> in <c>tokenizer.json</c> is which class: a new stage is one line here.</summary>
internal static class TokenizerStages
{
    public static FrozenDictionary<string, Func<JsonPlace, INormaliser>> Normalisers { get; } = new Dictionary<string, Func<JsonPlace, INormaliser>>
    {
        ["BertNormalizer"] = node => new BertNormaliser(
            node["clean_text"].Boolean(missing: true),
            node["handle_chinese_chars"].Boolean(missing: true),
            node["strip_accents"] is { IsNull: false } strip ? strip.Boolean(missing: false) : null,
            node["lowercase"].Boolean(missing: true)),
        ["Lowercase"] = _ => new LowercaseNormaliser(),
        ["NFC"] = _ => new UnicodeNormaliser(UnicodeForm.NFC),
        ["NFD"] = _ => new UnicodeNormaliser(UnicodeForm.NFD),
        ["NFKC"] = _ => new UnicodeNormaliser(UnicodeForm.NFKC),
        ["NFKD"] = _ => new UnicodeNormaliser(UnicodeForm.NFKD),
        ["Precompiled"] = node => new PrecompiledNormaliser(node["precompiled_charsmap"].Bytes(), node.File, node["precompiled_charsmap"].Path),
        ["Prepend"] = node => new PrependNormaliser(node["prepend"].Text(TokenizerLimits.MaxTokenLength)),
        ["Replace"] = PatternJson.Replace,
        ["Strip"] = node => new StripNormaliser(node["strip_left"].Boolean(missing: true), node["strip_right"].Boolean(missing: true)),
        ["StripAccents"] = _ => new StripAccentsNormaliser(),
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, IPreTokeniser>> PreTokenisers { get; } = new Dictionary<string, Func<JsonPlace, IPreTokeniser>>
    {
        ["BertPreTokenizer"] = _ => new BertPreTokeniser(),
        ["ByteLevel"] = ByteLevel,
        ["Digits"] = node => new DigitsPreTokeniser(node["individual_digits"].Boolean(missing: false)),
        ["Metaspace"] = node => new MetaspacePreTokeniser(Mark(node), Scheme(node), node["split"].Boolean(missing: true)),
        ["Punctuation"] = node => new PunctuationPreTokeniser(node["behavior"] is { IsNull: false } behavior ? PatternJson.Behavior(behavior) : SplitBehavior.Isolated),
        ["Split"] = PatternJson.Split,
        ["Whitespace"] = _ => new WhitespacePreTokeniser(),
        ["WhitespaceSplit"] = _ => new WhitespaceSplitPreTokeniser(),
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, ITokenModel>> Models { get; } = new Dictionary<string, Func<JsonPlace, ITokenModel>>
    {
        ["BPE"] = BpeJson.Read,
        ["Unigram"] = UnigramJson.Read,
        ["WordPiece"] = WordPieceJson.Read,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, IPostProcessor>> PostProcessors { get; } = new Dictionary<string, Func<JsonPlace, IPostProcessor>>
    {
        ["BertProcessing"] = node => new BertPostProcessor(Named(node["sep"]), Named(node["cls"])),
        ["ByteLevel"] = ByteLevelAfterwards,
        ["RobertaProcessing"] = node => new RobertaPostProcessor(
            Named(node["sep"]), Named(node["cls"]), node["trim_offsets"].Boolean(missing: true), node["add_prefix_space"].Boolean(missing: true)),
        ["TemplateProcessing"] = TemplateJson.Read,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, IDecoder>> Decoders { get; } = new Dictionary<string, Func<JsonPlace, IDecoder>>
    {
        ["BPEDecoder"] = node => new BpeDecoder(NotEmpty(node["suffix"])),
        ["ByteFallback"] = _ => new ByteFallbackDecoder(),
        ["ByteLevel"] = ByteLevelBack,
        ["Fuse"] = _ => new FuseDecoder(),
        ["Metaspace"] = node => new MetaspaceDecoder(Mark(node), Scheme(node), node["split"].Boolean(missing: true)),
        ["Replace"] = PatternJson.Replace,
        ["Strip"] = node => new StripDecoder(
            NotEmpty(node["content"]), node["start"].Integer(TokenizerLimits.MaxTokenLength), node["stop"].Integer(TokenizerLimits.MaxTokenLength)),
        ["WordPiece"] = node => new WordPieceDecoder(node["prefix"].Text(TokenizerLimits.MaxTokenLength), node["cleanup"].Boolean(missing: true)),
    }.ToFrozenDictionary();

    private static ByteLevelPreTokeniser ByteLevel(JsonPlace node) =>
        new(node["add_prefix_space"].Boolean(missing: true), node["use_regex"].Boolean(missing: true), node["trim_offsets"].Boolean(missing: true));

    private static ByteLevelPostProcessor ByteLevelAfterwards(JsonPlace node)
    {
        ByteLevelPreTokeniser read = ByteLevel(node);
        return new(read.AddPrefixSpace, read.TrimOffsets, read.UseRegex);
    }

    private static ByteLevelDecoder ByteLevelBack(JsonPlace node)
    {
        ByteLevelPreTokeniser read = ByteLevel(node);
        return new(read.AddPrefixSpace, read.TrimOffsets, read.UseRegex);
    }

    private static NamedToken Named(JsonPlace node) => node.Items(2).ToArray() is [var token, var id]
        ? new(token.Text(), id.Integer(TokenizerLimits.MaxVocabulary))
        : throw node.Wrong("an array of another length; wanted [token, id].");

    private static char Mark(JsonPlace node) => node["replacement"] is { IsNull: false } mark
        ? mark.Text() is [var single] && !char.IsSurrogate(single) ? single : throw mark.Wrong($"'{Vocabulary.Shown(mark.Text())}'; wanted one character below U+10000.")
        : MetaspacePreTokeniser.SpaceMark;

    /// <summary>Older files have <c>add_prefix_space</c> instead of <c>prepend_scheme</c>.</summary>
    private static PrependScheme Scheme(JsonPlace node)
    {
        bool prepends = node["add_prefix_space"].Boolean(missing: true);
        JsonPlace scheme = node["prepend_scheme"];
        if (scheme.IsNull)
            return prepends ? PrependScheme.Always : PrependScheme.Never;

        PrependScheme read = scheme.Text() switch
        {
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            var other => throw scheme.Wrong($"'{Vocabulary.Shown(other)}'; wanted always, first or never."),
        };
        return prepends || read == PrependScheme.Never ? read : throw scheme.Wrong($"'{scheme.Text()}' beside add_prefix_space false; wanted never.");
    }

    private static string NotEmpty(JsonPlace node) =>
        node.Text(TokenizerLimits.MaxTokenLength) is { Length: > 0 } text ? text : throw node.Wrong("an empty string; wanted at least one character.");
}
