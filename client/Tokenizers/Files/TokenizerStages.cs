using System.Collections.Frozen;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Which <c>type</c> in <c>tokenizer.json</c> is which class: a new stage is one line here.</summary>
internal static class TokenizerStages
{
    public static FrozenDictionary<string, Func<JsonNode, INormaliser>> Normalisers { get; } = new Dictionary<string, Func<JsonNode, INormaliser>>
    {
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonNode, IPreTokeniser>> PreTokenisers { get; } = new Dictionary<string, Func<JsonNode, IPreTokeniser>>
    {
        ["ByteLevel"] = ByteLevel,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonNode, ITokenModel>> Models { get; } = new Dictionary<string, Func<JsonNode, ITokenModel>>
    {
        ["BPE"] = BpeJson.Read,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonNode, IPostProcessor>> PostProcessors { get; } = new Dictionary<string, Func<JsonNode, IPostProcessor>>
    {
        ["ByteLevel"] = ByteLevelAfterwards,
        ["RobertaProcessing"] = Roberta,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, Func<JsonNode, IDecoder>> Decoders { get; } = new Dictionary<string, Func<JsonNode, IDecoder>>
    {
        ["ByteLevel"] = ByteLevelBack,
    }.ToFrozenDictionary();

    private static ByteLevelPreTokeniser ByteLevel(JsonNode node) =>
        new(node["add_prefix_space"].Boolean(missing: true), node["use_regex"].Boolean(missing: true), node["trim_offsets"].Boolean(missing: true));

    private static ByteLevelPostProcessor ByteLevelAfterwards(JsonNode node)
    {
        ByteLevelPreTokeniser read = ByteLevel(node);
        return new(read.AddPrefixSpace, read.TrimOffsets, read.UseRegex);
    }

    private static ByteLevelDecoder ByteLevelBack(JsonNode node)
    {
        ByteLevelPreTokeniser read = ByteLevel(node);
        return new(read.AddPrefixSpace, read.TrimOffsets, read.UseRegex);
    }

    private static RobertaPostProcessor Roberta(JsonNode node) => new(
        Named(node["sep"]), Named(node["cls"]), node["trim_offsets"].Boolean(missing: true), node["add_prefix_space"].Boolean(missing: true));

    private static NamedToken Named(JsonNode node) => node.Items(2).ToArray() is [var token, var id]
        ? new(token.Text(), id.Integer(TokenizerLimits.MaxVocabulary))
        : throw node.Wrong("an array of another length; wanted [token, id].");
}
