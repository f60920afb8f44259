using System.Collections.Frozen;
using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Which <c>type</c> in <c>tokenizer.json</c> is which class: a new stage is one line here.</summary>
internal static class TokenizerStages
{
    public static FrozenDictionary<string, Func<JsonPlace, INormaliser>> Normalisers { get; } = new Dictionary<string, Func<JsonPlace, INormaliser>>
    {
        ["NFC"] = _ => new NfcNormaliser(),
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, IPreTokeniser>> PreTokenisers { get; } = new Dictionary<string, Func<JsonPlace, IPreTokeniser>>
    {
        ["ByteLevel"] = ByteLevel,
        ["Digits"] = node => new DigitsPreTokeniser(node["individual_digits"].Boolean(missing: false)),
        ["Split"] = SplitJson.Read,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, ITokenModel>> Models { get; } = new Dictionary<string, Func<JsonPlace, ITokenModel>>
    {
        ["BPE"] = BpeJson.Read,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, IPostProcessor>> PostProcessors { get; } = new Dictionary<string, Func<JsonPlace, IPostProcessor>>
    {
        ["ByteLevel"] = ByteLevelAfterwards,
        ["RobertaProcessing"] = Roberta,
        ["TemplateProcessing"] = TemplateJson.Read,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonPlace, IDecoder>> Decoders { get; } = new Dictionary<string, Func<JsonPlace, IDecoder>>
    {
        ["ByteLevel"] = ByteLevelBack,
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

    private static RobertaPostProcessor Roberta(JsonPlace node) => new(
        Named(node["sep"]), Named(node["cls"]), node["trim_offsets"].Boolean(missing: true), node["add_prefix_space"].Boolean(missing: true));

    private static NamedToken Named(JsonPlace node) => node.Items(2).ToArray() is [var token, var id]
        ? new(token.Text(), id.Integer(TokenizerLimits.MaxVocabulary))
        : throw node.Wrong("an array of another length; wanted [token, id].");
}
