using System.Text.Json;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.SentencePiece;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the tokenizer of a Hugging Face checkpoint folder, and writes one.</summary>
public static class TokenizerFolder
{
    private const string JsonName = "tokenizer.json";

    /// <summary>
    /// Reads <c>tokenizer.json</c>; without one, <c>tokenizer.model</c>; without that, <c>vocab.json</c> and <c>merges.txt</c>; at last <c>vocab.txt</c>.
    /// Roles come from <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c>.
    /// </summary>
    /// <remarks>A <c>tokenizer.json</c> encodes as the tokenizers library does, the other files as the classes in Python of the transformers library, which <c>tokenizer_class</c> names.</remarks>
    /// <exception cref="TokenizerFormatException">A file is malformed or of a kind not supported.</exception>
    /// <exception cref="FileNotFoundException">The folder has none of these files.</exception>
    public static Tokenizer Read(string folder)
    {
        TokenizerConfig config = TokenizerConfig.Read(folder);
        string json = Path.Combine(folder, JsonName);
        if (File.Exists(json))
            return TokenizerJson.Read(BoundedFile.Read(json), json, config);

        TokenizerParts parts =
            Has(SentencePieceFile.Name) ? SentencePieceFolder.Read(folder, config)
            : Has(BpeFiles.VocabularyName) && Has(BpeFiles.MergesName) ? BpeFiles.Read(folder, config)
            : Has(WordPieceFile.Name) ? WordPieceFile.Read(folder, config)
            : throw new FileNotFoundException(
                $"{folder} has no tokenizer: wanted {JsonName}, or {SentencePieceFile.Name}, or {BpeFiles.VocabularyName} and {BpeFiles.MergesName}, or {WordPieceFile.Name}.", json);
        return new(parts with { Python = parts.Python! with { SplitsSpecialTokens = config.Flag("split_special_tokens") ?? false } });

        bool Has(string name) => File.Exists(Path.Combine(folder, name));
    }

    /// <summary>Writes <c>tokenizer.json</c>, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>, which Hugging Face's AutoTokenizer loads.</summary>
    /// <param name="folder">Made if it does not exist; files of these names are replaced.</param>
    /// <param name="tokenizer">What to write.</param>
    /// <param name="vocabularyFiles">Whether to write <c>vocab.json</c> and <c>merges.txt</c> too; the model has to be a BPE model then.</param>
    /// <exception cref="NotSupportedException">The tokenizer was read from other files than <c>tokenizer.json</c>, which cannot say all that those do: copy them.</exception>
    public static void Write(string folder, Tokenizer tokenizer, bool vocabularyFiles = false)
    {
        TokenizerJson.RequireWritable(tokenizer);
        Directory.CreateDirectory(folder);
        using (FileStream file = File.Create(Path.Combine(folder, JsonName)))
            TokenizerJson.Write(file, tokenizer);

        WriteObject(Path.Combine(folder, "special_tokens_map.json"), json => WriteRoles(json, tokenizer));
        WriteObject(Path.Combine(folder, "tokenizer_config.json"), json =>
        {
            WriteRoles(json, tokenizer);
            json.WriteBoolean("clean_up_tokenization_spaces", false);
            json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        });
        if (vocabularyFiles)
        {
            BpeFiles.Write(folder, tokenizer.Parts.Model as BpeModel
                ?? throw new ArgumentException("Only a BPE model can be written as vocab.json and merges.txt.", nameof(vocabularyFiles)));
        }
    }

    private static void WriteRoles(Utf8JsonWriter json, Tokenizer tokenizer)
    {
        foreach ((string role, string token) in tokenizer.Parts.Special.Roles())
            json.WriteString(role, token);
    }

    private static void WriteObject(string path, Action<Utf8JsonWriter> members)
    {
        using FileStream file = File.Create(path);
        using Utf8JsonWriter json = new(file, TokenizerJson.Indented);
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
    }
}
