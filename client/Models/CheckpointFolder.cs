namespace Federated.Client.Models;

/// <summary>Finds the files of a model folder, and nothing outside it.</summary>
/// <remarks>
/// A folder may come from anywhere, and what is read from it may be written into another one and passed on. So a link has to end in the
/// folder, or in the store that folders of links are made of: the <c>blobs</c> beside the folder's parent, where the Hugging Face cache
/// (<c>snapshots/REVISION</c>) and the agent (<c>models/NAME</c>) keep contents by their hash. Pipes and devices, on which reading would wait or
/// never end, are refused as well.
/// </remarks>
internal static class CheckpointFolder
{
    private const int MostLinks = 40;

    /// <summary>The path of a file that must be there.</summary>
    /// <exception cref="CheckpointException">It is not there, or not to be read.</exception>
    internal static string Require(string folder, string name) => Find(folder, name)
        ?? throw new CheckpointException($"{Path.Combine(folder, name)}: no such file. A model folder holds config.json, model.safetensors and tokenizer.json, as Hugging Face's save_pretrained writes them.");

    /// <summary>The path of a file, null if there is none.</summary>
    /// <exception cref="CheckpointException">It is a link out of the folder, or no regular file with content.</exception>
    internal static string? Find(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (new FileInfo(path) is { Exists: false, LinkTarget: null })
            return null;

        string real = RealPath(path), home = RealPath(folder);
        if (!IsBelow(real, home) && !IsBelow(real, Blobs(home)))
            throw new CheckpointException($"{path}: a link that leads out of the folder, to {real}; put the file itself there. Only the blobs folder of a cache may be linked to.");
        if (new FileInfo(real) is { Exists: true, Length: 0 } or { Exists: false })
            throw new CheckpointException($"{path}: empty, or no regular file.");
        return path;
    }

    private static bool IsBelow(string path, string? folder) => folder is not null && path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static string? Blobs(string home) => Path.GetDirectoryName(Path.GetDirectoryName(home)) is { } cache ? Path.Combine(cache, "blobs") : null;

    /// <summary>The path with every link in it followed, those of its folders too.</summary>
    private static string RealPath(string path)
    {
        string full = Path.GetFullPath(path), real = Path.GetPathRoot(full)!;
        Stack<string> parts = new(full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        int links = 0;
        while (parts.TryPop(out string? part))
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? real;
                continue;
            }

            string next = Path.Combine(real, part);
            if (part == "." || new FileInfo(next).LinkTarget is not { } target)
            {
                real = part == "." ? real : next;
                continue;
            }

            if (++links > MostLinks)
                throw new CheckpointException($"{path}: more than {MostLinks} links on the way; they may go in a circle.");
            real = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : real;
            foreach (string step in target.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse())
                parts.Push(step);
        }

        return real;
    }
}
