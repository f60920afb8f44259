using System.Text.Json;
using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the tokenizer of a Hugging Face checkpoint folder, and writes one.</summary>
public static class TokenizerFolder
{
    private const string JsonName = "tokenizer.json";

    /// <summary>Reads <c>tokenizer.json</c> or, without one, <c>vocab.json</c> and <c>merges.txt</c>; roles come from <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c>.</summary>
    /// <exception cref="TokenizerFormatException">A file is malformed or of a kind not supported.</exception>
    /// <exception cref="FileNotFoundException">The folder has none of these files.</exception>
    public static Tokenizer Read(string folder)
    {
        TokenizerConfig config = TokenizerConfig.Read(folder);
        string json = Path.Combine(folder, JsonName);
        if (File.Exists(json))
            return TokenizerJson.Read(BoundedFile.Read(json), json, config);

        if (File.Exists(Path.Combine(folder, VocabularyFiles.VocabularyName)) && File.Exists(Path.Combine(folder, VocabularyFiles.MergesName)))
            return VocabularyFiles.Read(folder, config);

        throw new FileNotFoundException($"{folder} has no tokenizer: wanted {JsonName}, or {VocabularyFiles.VocabularyName} and {VocabularyFiles.MergesName}.", json);
    }

    /// <summary>Writes <c>tokenizer.json</c>, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>, which Hugging Face's AutoTokenizer loads.</summary>
    /// <param name="folder">Made if it does not exist; files of these names are replaced.</param>
    /// <param name="tokenizer">What to write.</param>
    /// <param name="vocabularyFiles">Whether to write <c>vocab.json</c> and <c>merges.txt</c> too; the model has to be a BPE model then.</param>
    public static void Write(string folder, Tokenizer tokenizer, bool vocabularyFiles = false)
    {
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
            VocabularyFiles.Write(folder, tokenizer.Parts.Model as BpeModel
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
