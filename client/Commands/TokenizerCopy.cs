using Federated.Client.Models;

namespace Federated.Client.Commands;

/// <summary>Copies what belongs to a model's text beside a checkpoint that was made of it, so that the new folder is whole.</summary>
internal static class TokenizerCopy
{
    private static readonly string[] Names =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt",
        "tokenizer.model", "chat_template.jinja", "generation_config.json", "preprocessor_config.json",
    ];

    /// <summary>Copies the files that are there; those of the same names are replaced.</summary>
    /// <exception cref="CheckpointException">A file is a link out of the folder, or no regular file.</exception>
    public static void To(string target, string source)
    {
        if (Path.GetFullPath(target).TrimEnd(Path.DirectorySeparatorChar) == Path.GetFullPath(source).TrimEnd(Path.DirectorySeparatorChar))
            return;

        foreach (string name in Names)
        {
            if (CheckpointFolder.Find(source, name) is { } path)
                File.Copy(path, Path.Combine(target, name), overwrite: true);
        }
    }
}
