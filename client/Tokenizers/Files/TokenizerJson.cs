using System.Collections.Frozen;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads and writes <c>tokenizer.json</c>, the file of Hugging Face's tokenizers library.</summary>
/// <remarks>The file's <c>truncation</c> and <c>padding</c> say how batches are made and are not read: here the caller of <see cref="BatchEncoder"/> says that.</remarks>
public static class TokenizerJson
{
    /// <summary>How all JSON files of a tokenizer are written.</summary>
    internal static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="bytes">UTF-8 JSON.</param>
    /// <param name="name">File name for error messages.</param>
    /// <param name="special">Roles, which this file does not hold.</param>
    /// <exception cref="TokenizerFormatException">The file is malformed or of a kind not supported; the message names place, found and wanted.</exception>
    public static Tokenizer Read(ReadOnlyMemory<byte> bytes, string name, SpecialTokens? special = null) =>
        new(ReadParts(bytes, name) with { Special = special ?? SpecialTokens.None });

    /// <summary>Reads a tokenizer with what the files beside it say: roles, and added tokens that only they have.</summary>
    internal static Tokenizer Read(ReadOnlyMemory<byte> bytes, string name, TokenizerConfig config)
    {
        TokenizerParts parts = ReadParts(bytes, name);
        return new(parts with { Special = config.Special, AddedTokens = config.AddedTo(parts.Model.Vocabulary, parts.AddedTokens) });
    }

    /// <summary>Writes the parts of a tokenizer in the current form: merges as pairs.</summary>
    /// <exception cref="NotSupportedException">The tokenizer was read from other files, whose rules this one cannot express.</exception>
    public static void Write(Stream stream, Tokenizer tokenizer)
    {
        RequireWritable(tokenizer);
        TokenizerParts parts = tokenizer.Parts;
        using Utf8JsonWriter json = new(stream, Indented);
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        foreach (AddedToken token in parts.AddedTokens.OrderBy(token => token.Id))
            WriteAdded(json, token);

        json.WriteEndArray();
        WriteStages(json, "normalizer", "normalizers", parts.Normalisers);
        WriteStages(json, "pre_tokenizer", "pretokenizers", parts.PreTokenisers);
        WriteStages(json, "post_processor", "processors", parts.PostProcessors);
        WriteStages(json, "decoder", "decoders", parts.Decoders);
        json.WritePropertyName("model");
        parts.Model.Write(json);
        json.WriteEndObject();
    }

    /// <exception cref="NotSupportedException">The tokenizer was read from other files, whose rules this one cannot express.</exception>
    internal static void RequireWritable(Tokenizer tokenizer)
    {
        if (tokenizer.Parts.Python is not null)
            throw new NotSupportedException($"The tokenizer of {tokenizer.Parts.Source} follows rules that tokenizer.json cannot express; copy its files instead.");
    }

    private static TokenizerParts ReadParts(ReadOnlyMemory<byte> bytes, string name) => BoundedFile.ReadJson(bytes, name, root => new TokenizerParts
    {
        AddedTokens = root["added_tokens"] is { IsNull: false } added ? [.. added.Items(TokenizerLimits.MaxAddedTokens).Select(ReadAdded)] : [],
        Normalisers = Stages(root["normalizer"], "normalizers", TokenizerStages.Normalisers),
        PreTokenisers = Stages(root["pre_tokenizer"], "pretokenizers", TokenizerStages.PreTokenisers),
        Model = Stage(root["model"], TokenizerStages.Models),
        PostProcessors = Stages(root["post_processor"], "processors", TokenizerStages.PostProcessors),
        Decoders = Stages(root["decoder"], "decoders", TokenizerStages.Decoders),
        Source = name,
    });

    private static AddedToken ReadAdded(JsonPlace node) => new(
        node["id"].Integer(TokenizerLimits.MaxVocabulary),
        node["content"].Text(),
        node["single_word"].Boolean(missing: false),
        node["lstrip"].Boolean(missing: false),
        node["rstrip"].Boolean(missing: false),
        node["normalized"].Boolean(missing: true),
        node["special"].Boolean(missing: false));

    private static void WriteAdded(Utf8JsonWriter json, AddedToken token)
    {
        json.WriteStartObject();
        json.WriteNumber("id", token.Id);
        json.WriteString("content", token.Content);
        json.WriteBoolean("single_word", token.SingleWord);
        json.WriteBoolean("lstrip", token.StripLeft);
        json.WriteBoolean("rstrip", token.StripRight);
        json.WriteBoolean("normalized", token.Normalized);
        json.WriteBoolean("special", token.Special);
        json.WriteEndObject();
    }

    /// <summary>One stage, or the stages of a <c>Sequence</c>, however nested.</summary>
    private static List<T> Stages<T>(JsonPlace node, string members, FrozenDictionary<string, Func<JsonPlace, T>> kinds)
    {
        List<T> stages = [];
        if (!node.IsNull)
            Add(node);

        return stages;

        void Add(JsonPlace next)
        {
            if (next["type"].Text() != "Sequence")
            {
                stages.Add(Stage(next, kinds));
            }
            else
            {
                foreach (JsonPlace item in next[members].Items(TokenizerLimits.MaxStages))
                    Add(item);
            }

            if (stages.Count > TokenizerLimits.MaxStages)
                throw next.Wrong($"more than {TokenizerLimits.MaxStages} stages in a row; wanted fewer.");
        }
    }

    private static T Stage<T>(JsonPlace node, FrozenDictionary<string, Func<JsonPlace, T>> kinds)
    {
        string type = node["type"].Text();
        return kinds.TryGetValue(type, out Func<JsonPlace, T>? read)
            ? read(node)
            : throw node["type"].Wrong($"'{Vocabulary.Shown(type)}'; supported here: {string.Join(", ", kinds.Keys.Order(StringComparer.Ordinal))}.");
    }

    private static void WriteStages(Utf8JsonWriter json, string name, string members, IReadOnlyList<ITokenizerStage> stages)
    {
        if (stages.Count == 0)
        {
            json.WriteNull(name);
            return;
        }

        json.WritePropertyName(name);
        if (stages.Count == 1)
        {
            stages[0].Write(json);
            return;
        }

        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray(members);
        foreach (ITokenizerStage stage in stages)
            stage.Write(json);

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
