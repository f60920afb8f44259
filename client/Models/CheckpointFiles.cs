using System.Text.Json;
using System.Text.RegularExpressions;
using Federated.Shared.Tensors;

namespace Federated.Client.Models;

/// <summary>A tensor of a checkpoint and the file it is in.</summary>
internal sealed record StoredTensor(SafetensorsFile File, TensorInfo Info);

/// <summary>The tensor files of a model folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names. Opening reads headers only.</summary>
internal sealed partial class CheckpointFiles : IDisposable
{
    internal const string SingleFile = "model.safetensors", IndexFile = "model.safetensors.index.json", ConfigFile = "config.json";
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    private CheckpointFiles(string folder) => Folder = folder;

    internal string Folder { get; }

    /// <summary>The open files, in order of their names.</summary>
    internal IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>All tensors by the names they are stored under.</summary>
    internal IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    internal long ElementCount => _tensors.Values.Sum(tensor => tensor.Info.ElementCount);

    internal static CheckpointFiles Open(string folder)
    {
        CheckpointFiles files = new(folder);
        try
        {
            if (CheckpointFolder.Find(folder, SingleFile) is { } single)
                files.Add(single, []);
            else if (CheckpointFolder.Find(folder, IndexFile) is { } index)
                files.AddShards(index);
            else
                throw new CheckpointException($"{folder}: neither {SingleFile} nor {IndexFile} is there. Checkpoints in PyTorch's pickle form (pytorch_model.bin) are not read: save the model with safe_serialization first.");
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    [GeneratedRegex(@"^model-\d+-of-\d+\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex ShardName();

    private void Add(string path, List<string> problems)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (TensorInfo info in file.Tensors)
        {
            if (!_tensors.TryAdd(info.Name, new(file, info)))
                problems.Add($"tensor {TensorText.Quote(info.Name)} is in '{Path.GetFileName(path)}' and in '{Path.GetFileName(_tensors[info.Name].File.Path)}'");
        }
    }

    private void AddShards(string path)
    {
        ShardIndex index = ShardIndex.Read(path);
        HashSet<string> shards = [.. index.Shards.Values];
        List<string> problems = [];
        foreach (string shard in shards.Order(StringComparer.Ordinal))
        {
            // A shard stands beside its index: a name with a folder in it could reach anywhere on this machine.
            if (shard != Path.GetFileName(shard) || !shard.EndsWith(".safetensors", StringComparison.Ordinal))
                problems.Add($"{TensorText.Quote(shard)} is no plain name of a .safetensors file");
            else if (CheckpointFolder.Find(Folder, shard) is not { } file)
                problems.Add($"{TensorText.Quote(shard)} is not in the folder");
            else
                Add(file, problems);
        }

        if (problems.Count == 0)
            Compare(index, shards, problems);
        if (problems.Count > 0)
            throw CheckpointException.Of(path, "the index and its shards do not agree:", problems);
    }

    private void Compare(ShardIndex index, HashSet<string> shards, List<string> problems)
    {
        foreach ((string name, string shard) in index.Shards)
        {
            if (!_tensors.TryGetValue(name, out StoredTensor? found) || Path.GetFileName(found.File.Path) != shard)
                problems.Add($"tensor {TensorText.Quote(name)} is not in '{shard}'");
        }

        foreach ((string name, StoredTensor stored) in _tensors)
        {
            if (!index.Shards.ContainsKey(name))
                problems.Add($"tensor {TensorText.Quote(name)} in '{Path.GetFileName(stored.File.Path)}' has no entry");
        }

        foreach (string file in Directory.EnumerateFiles(Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal))
        {
            if (ShardName().IsMatch(file) && !shards.Contains(file))
                problems.Add($"'{file}' is named by no entry; it is of another checkpoint, or the index is: remove the one that does not belong here");
        }

        // Converted checkpoints keep the number of wider or untied originals, so it may be too large without harm.
        long bytes = _tensors.Values.Sum(tensor => tensor.Info.Length);
        if (index.TotalSize < bytes)
            problems.Add($"metadata.total_size is {index.TotalSize}, the tensors have {bytes} bytes");
    }

    /// <summary>What an index says.</summary>
    /// <param name="Shards">The file of each tensor.</param>
    /// <param name="TotalSize">Bytes of all tensors; null if not said.</param>
    private sealed record ShardIndex(Dictionary<string, string> Shards, double? TotalSize)
    {
        private const int LargestFile = 64 << 20;

        internal static ShardIndex Read(string path) => JsonFile.Read(path, LargestFile, root =>
        {
            if (!root.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object
                || map.EnumerateObject().Any(entry => entry.Value.ValueKind != JsonValueKind.String))
            {
                throw new CheckpointException($"{path}: expected an object with 'weight_map', which maps tensor names to file names.");
            }

            return new ShardIndex(map.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!, StringComparer.Ordinal), Total(path, root));
        });

        private static double? Total(string path, JsonElement root)
        {
            if (!root.TryGetProperty("metadata", out JsonElement metadata) || metadata.ValueKind != JsonValueKind.Object
                || !metadata.TryGetProperty("total_size", out JsonElement size))
            {
                return null;
            }

            // Some versions of transformers write it as a floating-point number.
            return size.ValueKind == JsonValueKind.Number && size.TryGetDouble(out double bytes) && bytes >= 0
                ? bytes
                : throw new CheckpointException($"{path}: metadata.total_size is no number of bytes.");
        }
    }
}
