using System.Text.Json;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Federated.Tests.Support;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>A tokenizer folder of the golden fixtures, with what the official code gave for its strings.</summary>
internal sealed class TokenizerFixture
{
    public TokenizerFixture(string name)
    {
        Folder = Path.Combine(Repository.Fixtures, name);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "cases.json")));
        Root = document.RootElement.Clone();
    }

    public string Folder { get; }

    public JsonElement Root { get; }

    public JsonElement.ArrayEnumerator Cases => Root.GetProperty("cases").EnumerateArray();

    /// <summary>The tokenizer as one of its forms gives it: a JSON file of the folder, or "vocab" for the vocabulary files.</summary>
    public Tokenizer Load(string form)
    {
        using TemporaryFolder copy = new();
        foreach (string file in Directory.EnumerateFiles(Folder))
        {
            string name = Path.GetFileName(file);
            if (name == form)
                File.Copy(file, Path.Combine(copy.Path, "tokenizer.json"));
            else if (!name.StartsWith("tokenizer", StringComparison.Ordinal) || name == "tokenizer_config.json")
                File.Copy(file, Path.Combine(copy.Path, name));
        }

        return TokenizerFolder.Read(copy.Path);
    }

    public static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    public static string[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetString()!)];
}
