using System.Text.Json;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Two neighbouring tokens and the token that they become; ids.</summary>
public readonly record struct BpeMerge(int Left, int Right, int Result);

/// <summary>Options of a BPE model, named as in <c>tokenizer.json</c>.</summary>
/// <param name="UnknownToken"><c>unk_token</c>: stands for a symbol that the vocabulary lacks; null drops such a symbol.</param>
/// <param name="FuseUnknown"><c>fuse_unk</c>: unknown symbols in a row become one token.</param>
/// <param name="ByteFallback"><c>byte_fallback</c>: a symbol that the vocabulary lacks is spelled with tokens such as <c>&lt;0xE2&gt;</c>.</param>
/// <param name="IgnoreMerges"><c>ignore_merges</c>: a piece that is a token as a whole is that token, even if no merges lead to it.</param>
/// <param name="Prefix"><c>continuing_subword_prefix</c>: stands before every symbol of a piece but the first.</param>
/// <param name="Suffix"><c>end_of_word_suffix</c>: stands behind the last symbol of a piece.</param>
public sealed record BpeOptions(
    string? UnknownToken = null, bool FuseUnknown = false, bool ByteFallback = false, bool IgnoreMerges = false, string? Prefix = null, string? Suffix = null)
{
    /// <summary>Whether symbols of a piece look alike wherever they stand.</summary>
    internal bool IsPlain => string.IsNullOrEmpty(Prefix) && string.IsNullOrEmpty(Suffix);
}

/// <summary>Byte-pair encoding: a piece starts as single symbols, and the earliest learned merge is applied until none is left.</summary>
/// <remarks>Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", ACL 2016, arXiv:1508.07909; on bytes: GPT-2.</remarks>
public sealed class BpeModel : ITokenModel
{
    private readonly MergeTable _table;
    private readonly Lazy<ByteSymbols> _byteSymbols;
    private readonly Lazy<bool> _cutsAtSpaces;

    /// <summary>Makes a model.</summary>
    /// <param name="vocabulary">All tokens.</param>
    /// <param name="merges">In order of precedence; a pair that is listed twice counts where it stands last.</param>
    /// <param name="options">Options.</param>
    /// <param name="source">File that the model comes from, for error messages.</param>
    public BpeModel(Vocabulary vocabulary, IReadOnlyList<BpeMerge> merges, BpeOptions options, string source)
    {
        (Vocabulary, Merges, Options) = (vocabulary, merges, options);
        if (options.UnknownToken is { } unknown && vocabulary.Id(unknown) is null)
            throw new TokenizerFormatException(source, "unk_token", $"'{Vocabulary.Shown(unknown)}' is not in the vocabulary; name a token that is, or null.");

        _table = new MergeTable(merges);
        _byteSymbols = new(() => new ByteSymbols(vocabulary, options));
        _cutsAtSpaces = new(() => options is { IsPlain: true, IgnoreMerges: false } && vocabulary.Id(MetaspacePreTokeniser.SpaceMark.ToString()) is not null &&
            CuttingEncoder.IsSafe(merges.Select(merge => vocabulary.Token(merge.Result)!), MetaspacePreTokeniser.SpaceMark));
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary { get; }

    /// <summary>Merges in order of precedence.</summary>
    public IReadOnlyList<BpeMerge> Merges { get; }

    /// <summary>Options.</summary>
    public BpeOptions Options { get; }

    /// <summary>Names the merge of two tokens.</summary>
    /// <exception cref="TokenizerFormatException">One of the two, or what they become, is not in the vocabulary.</exception>
    /// <remarks>The second token's <paramref name="prefix"/> is not repeated in what the two become.</remarks>
    public static BpeMerge Merge(Vocabulary vocabulary, string left, string right, string source, string where, string? prefix = null)
    {
        prefix ??= "";
        if (!right.StartsWith(prefix, StringComparison.Ordinal))
            throw new TokenizerFormatException(source, where, $"'{Vocabulary.Shown(right)}' follows another token but does not begin with the prefix '{Vocabulary.Shown(prefix)}'.");

        return new(IdOf(left), IdOf(right), IdOf(left + right[prefix.Length..]));

        int IdOf(string token) => vocabulary.Id(token) ?? throw new TokenizerFormatException(source, where,
            $"the merge of '{Vocabulary.Shown(left)}' and '{Vocabulary.Shown(right)}' needs the token '{Vocabulary.Shown(token)}', which is not in the vocabulary.");
    }

    /// <inheritdoc/>
    public IPieceEncoder CreateEncoder(bool mapsBytes)
    {
        // Byte-level fallback is without effect where every byte has a token, and means characters of the alphabet where one has none.
        if (mapsBytes && Options.IsPlain && (!Options.ByteFallback || _byteSymbols.Value.AllKnown))
            return new CachingEncoder(new ByteBpeEncoder(_byteSymbols.Value, _table, Options.IgnoreMerges ? Vocabulary : null));

        IPieceEncoder encoder = new CachingEncoder(new CharBpeEncoder(Vocabulary, Options, _table));
        if (mapsBytes)
            return new ByteMappingEncoder(encoder);

        return _cutsAtSpaces.Value ? new CuttingEncoder(encoder, MetaspacePreTokeniser.SpaceMark) : encoder;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", Options.UnknownToken);
        json.WriteString("continuing_subword_prefix", Options.Prefix);
        json.WriteString("end_of_word_suffix", Options.Suffix);
        json.WriteBoolean("fuse_unk", Options.FuseUnknown);
        json.WriteBoolean("byte_fallback", Options.ByteFallback);
        json.WriteBoolean("ignore_merges", Options.IgnoreMerges);
        json.WritePropertyName("vocab");
        Vocabulary.Write(json);
        json.WriteStartArray("merges");
        foreach (BpeMerge merge in Merges)
        {
            json.WriteStartArray();
            json.WriteStringValue(Vocabulary.Token(merge.Left));
            json.WriteStringValue(Vocabulary.Token(merge.Right));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
