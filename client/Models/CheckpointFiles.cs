using System.Text.Json;
using Federated.Shared.Tensors;

namespace Federated.Client.Models;

/// <summary>The tensor files of a model folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.</summary>
internal sealed class CheckpointFiles : IDisposable
{
    internal const string SingleFile = "model.safetensors", IndexFile = "model.safetensors.index.json", ConfigFile = "config.json";
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, TensorInfo Info)> _tensors = new(StringComparer.Ordinal);

    private CheckpointFiles(string folder) => Folder = folder;

    internal string Folder { get; }

    internal IReadOnlyDictionary<string, (SafetensorsFile File, TensorInfo Info)> Tensors => _tensors;

    internal long ElementCount => _tensors.Values.Sum(tensor => tensor.Info.ElementCount);

    internal static CheckpointFiles Open(string folder)
    {
        CheckpointFiles files = new(folder);
        try
        {
            string single = Path.Combine(folder, SingleFile), index = Path.Combine(folder, IndexFile);
            if (File.Exists(single))
                files.Add(single);
            else if (File.Exists(index))
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

    private void Add(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (TensorInfo info in file.Tensors)
        {
            if (!_tensors.TryAdd(info.Name, (file, info)))
                throw new CheckpointException($"{path}: tensor '{info.Name}' is also in {_tensors[info.Name].File.Path}.");
        }
    }

    private void AddShards(string index)
    {
        Dictionary<string, string> map = ReadIndex(index);
        List<string> problems = [];
        foreach (string shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            // A shard stands beside its index: a name with a folder in it could reach anywhere on this machine.
            if (shard != Path.GetFileName(shard) || !shard.EndsWith(".safetensors", StringComparison.Ordinal))
                problems.Add($"'{shard}' is no plain name of a .safetensors file");
            else if (!File.Exists(Path.Combine(Folder, shard)))
                problems.Add($"'{shard}' is not in the folder");
            else
                Add(Path.Combine(Folder, shard));
        }

        problems.AddRange(map.Where(entry => problems.Count == 0 && (!_tensors.TryGetValue(entry.Key, out var found) || Path.GetFileName(found.File.Path) != entry.Value))
            .Select(entry => $"tensor '{entry.Key}' is not in '{entry.Value}'").ToArray());
        if (problems.Count > 0)
            throw CheckpointException.Of(index, "the index and its shards do not agree:", problems);
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        const long LargestIndex = 64 << 20;
        if (new FileInfo(path).Length > LargestIndex)
            throw new CheckpointException($"{path}: too large for an index (at most {LargestIndex} bytes).");
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("weight_map", out JsonElement map)
                && map.ValueKind == JsonValueKind.Object && map.EnumerateObject().All(entry => entry.Value.ValueKind == JsonValueKind.String))
            {
                Dictionary<string, string> entries = new(StringComparer.Ordinal);
                foreach (JsonProperty entry in map.EnumerateObject())
                    entries[entry.Name] = entry.Value.GetString()!;
                return entries;
            }
        }
        catch (JsonException error)
        {
            throw new CheckpointException($"{path}: not valid JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new CheckpointException($"{path}: a string is not valid UTF-8 or holds half of a surrogate pair; save the file as UTF-8.", error);
        }

        throw new CheckpointException($"{path}: expected an object with 'weight_map', which maps tensor names to file names.");
    }
}
