using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>A base model's files: hashed once at the start, served from where they lie, refused when they have changed since.</summary>
internal sealed class ModelFolder
{
    /// <summary>What a model consists of here. Pickles and scripts carry code; nobody is sent any.</summary>
    private static readonly string[] Extensions = [".json", ".safetensors", ".txt", ".model"];

    private readonly Dictionary<ContentHash, Served> _files;

    private ModelFolder(IReadOnlyList<ModelFile> files, Dictionary<ContentHash, Served> served)
    {
        Files = files;
        _files = served;
    }

    /// <summary>The files in ordinal order of their names.</summary>
    public IReadOnlyList<ModelFile> Files { get; }

    /// <summary>Reads and hashes a folder.</summary>
    /// <exception cref="InvalidDataException">There is no model in it, or too many files.</exception>
    public static ModelFolder Read(string folder)
    {
        FileInfo[] found = [.. new DirectoryInfo(folder).GetFiles()
            .Where(file => Extensions.Contains(file.Extension, StringComparer.Ordinal) && !file.Name.StartsWith('.'))
            .OrderBy(file => file.Name, StringComparer.Ordinal)];
        if (found.Length is 0 or > ProtocolLimits.ModelFiles)
            throw new InvalidDataException($"{folder} holds {found.Length} model files ({string.Join(", ", Extensions)}); 1 to {ProtocolLimits.ModelFiles} are expected.");

        List<ModelFile> files = [];
        Dictionary<ContentHash, Served> served = [];
        foreach (FileInfo file in found)
        {
            using FileStream stream = new(file.FullName, new FileStreamOptions { Options = FileOptions.SequentialScan });
            ContentHash hash = ContentHash.Of(stream);
            files.Add(new() { Name = file.Name, Content = new() { Sha256 = hash.ToArray(), Length = stream.Length } });
            served[hash] = new(file.FullName, stream.Length, file.LastWriteTimeUtc);
        }

        return new(files, served);
    }

    /// <summary>Opens a file by its content; null when it is none of this folder.</summary>
    /// <exception cref="FederatedException">The file is not what it was at the start.</exception>
    public IDiskFile? Open(IDisk disk, ContentHash hash)
    {
        if (!_files.TryGetValue(hash, out Served? file))
            return null;

        FileInfo now = new(file.Path);
        if (!now.Exists || now.Length != file.Length || now.LastWriteTimeUtc != file.Written)
        {
            throw new FederatedException(RejectReason.NoSuchBlob,
                "A file of the base model has changed since the coordinator started. Its operator must put the model back, or start again with a new run.");
        }

        return disk.OpenRead(file.Path);
    }

    private sealed record Served(string Path, long Length, DateTime Written);
}

/// <summary>The base models of all runs.</summary>
internal sealed class ModelFolders(IDisk disk)
{
    private readonly Dictionary<string, ModelFolder> _folders = new(StringComparer.Ordinal);

    /// <summary>Reads a folder, once.</summary>
    public ModelFolder Read(string folder)
    {
        if (!_folders.TryGetValue(folder, out ModelFolder? known))
            _folders[folder] = known = ModelFolder.Read(folder);
        return known;
    }

    /// <summary>Opens a file by its content.</summary>
    /// <exception cref="FederatedException">It has changed, or no folder has it any more.</exception>
    public IDiskFile Open(ContentHash hash) =>
        _folders.Values.Select(folder => folder.Open(disk, hash)).FirstOrDefault(file => file is not null)
        ?? throw new FederatedException(RejectReason.NoSuchBlob, "The base model's folder does not hold that file any more.");
}
