using System.Text.Json;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Federated.Tests.Support;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>A tokenizer folder of the golden fixtures, with what the official code gave for its strings.</summary>
internal sealed class TokenizerFixture
{
    /// <summary>The form that is not a <c>tokenizer.json</c>.</summary>
    public const string VocabularyFiles = "vocab";

    private static readonly string[] VocabularyNames = ["vocab.json", "vocab.txt", "tokenizer.model"];

    /// <param name="name">Name below the fixture root, or a path.</param>
    public TokenizerFixture(string name)
    {
        Folder = Path.Combine(Repository.Fixtures, name);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "cases.json")));
        Root = document.RootElement.Clone();
    }

    public string Folder { get; }

    public JsonElement Root { get; }

    public JsonElement.ArrayEnumerator Cases => Root.GetProperty("cases").EnumerateArray();

    /// <summary>The forms that the folder has the tokenizer in.</summary>
    public IReadOnlyList<string> Forms =>
    [
        .. Directory.EnumerateFiles(Folder, "tokenizer*.json").Select(file => Path.GetFileName(file)!).Where(name => name != "tokenizer_config.json"),
        .. VocabularyNames.Any(name => File.Exists(Path.Combine(Folder, name))) ? [VocabularyFiles] : (string[])[],
    ];

    /// <summary>The tokenizer as one of its forms gives it: a JSON file of the folder, or <see cref="VocabularyFiles"/>.</summary>
    public Tokenizer Load(string form)
    {
        using TemporaryFolder copy = new();
        foreach (string file in Directory.EnumerateFiles(Folder))
        {
            string name = Path.GetFileName(file);
            if (name == form)
                File.Copy(file, Path.Combine(copy.Path, "tokenizer.json"));
            else if (name == "tokenizer_config.json" || !name.StartsWith("tokenizer", StringComparison.Ordinal) || Path.GetExtension(name) == ".model")
                File.Copy(file, Path.Combine(copy.Path, name));
        }

        return TokenizerFolder.Read(copy.Path);
    }

    public static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    public static string[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetString()!)];
}
