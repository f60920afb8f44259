using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Federated.Client.Models;
using Federated.Shared.Tensors;

namespace Federated.Client.Tests.Models;

/// <summary>Model folders from a stranger or a broken disk: each is answered by an error that says what is wrong where, and takes no memory to speak of.</summary>
public sealed class HostileCheckpointTests : IDisposable
{
    private const string Index = "model.safetensors.index.json", First = "model-00001-of-00002.safetensors", Second = "model-00002-of-00002.safetensors";
    private readonly TemporaryFolder _root = new();

    public HostileCheckpointTests()
    {
        Directory.CreateDirectory(Folder);
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        model.Save(Folder);
    }

    private string Folder => Path.Combine(_root.Path, "model");

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void Load_WeightThatIsNotFinite_NamesTensorAndPlace(float value, string shown)
    {
        Rewrite(stored => stored["model.layers.1.mlp.up_proj.weight"][(24 * 7) + 5] = value);
        Assert.Contains($"tensor 'model.layers.1.mlp.up_proj.weight' in 'model.safetensors' holds {shown} at (7, 5)", Error(), StringComparison.Ordinal);
        using PretrainedModel model = PretrainedModel.Load(Folder, new() { RequireFinite = false });
        Assert.Equal(value, model.Parameters.Single(p => p.Name == "model.layers.1.mlp.up_proj.weight").Value.Floats()[(24 * 7) + 5]);
    }

    [Fact]
    public void Load_HalfPrecisionInfinity_IsFoundToo()
    {
        Rewrite(stored => stored["model.norm.weight"][3] = float.PositiveInfinity, DType.F16);
        Assert.Contains("tensor 'model.norm.weight' in 'model.safetensors' holds Infinity at (3)", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MoreLabelsThanTheCheckpointHasNumbers_IsRefusedBeforeTheHeadIsMade()
    {
        string[] labels = [.. Enumerable.Repeat("x", 1_000_000)];
        string message = Error(new() { Task = ModelTask.SequenceClassification, Labels = labels });
        Assert.Contains("a head for 1000000 labels would hold 24000000 numbers", message, StringComparison.Ordinal);

        EditConfig(config =>
        {
            config["architectures"] = new JsonArray("LlamaForSequenceClassification");
            config["id2label"] = new JsonObject(Enumerable.Range(0, 100_000).Select(i => KeyValuePair.Create<string, JsonNode?>($"{i}", "x")));
        });
        Assert.Contains("do not belong together", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TaskThatTheArchitectureHasNoHeadFor_IsRefused() =>
        Assert.Contains("has no head for ImageClassification", Error(new() { Task = ModelTask.ImageClassification }), StringComparison.Ordinal);

    [Fact]
    public void Load_TensorOfIntegers_IsRefusedByName()
    {
        TensorInfo[] tensors = [TensorInfo.Declare("model.norm.weight", DType.I64, 24), .. Stored().Names.Where(name => name != "model.norm.weight").Select(name => TensorInfo.Declare(name, DType.F32, Stored().Shape(name)))];
        using (FileStream stream = File.Create(Path.Combine(Folder, "model.safetensors")))
        {
            using SafetensorsWriter writer = new(stream, tensors);
            foreach (TensorInfo tensor in writer.Tensors)
                writer.WriteTensor(tensor.Name, new byte[tensor.Length]);
            writer.Complete();
        }

        string message = Error();
        Assert.Contains("wrong type: model.norm.weight is I64", message, StringComparison.Ordinal);
        Assert.Single(message.Split(Environment.NewLine)[1..]);
    }

    [Theory]
    [InlineData("config.json", """{"model_type": "llama", "model_type": "llama"}""", "model_type")]
    [InlineData("config.json", """{"model_type": "llama", "rope_scaling": {"type": "linear", "type": "none"}}""", "type")]
    public void Load_NameTwiceInTheConfig_IsRefused(string file, string json, string name)
    {
        File.WriteAllText(Path.Combine(Folder, file), json);
        string message = Error();
        Assert.Contains("not valid JSON", message, StringComparison.Ordinal);
        Assert.Contains(name, message, StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<JsonObject, string>> Indexes { get; } = new()
    {
        { "'../a.safetensors' is no plain name", (index, _) => index["weight_map"]!["model.norm.weight"] = "../a.safetensors" },
        { "'/etc/passwd' is no plain name", (index, _) => index["weight_map"]!["model.norm.weight"] = "/etc/passwd" },
        { "'..' is no plain name", (index, _) => index["weight_map"]!["model.norm.weight"] = ".." },
        { "'c.safetensors' is not in the folder", (index, _) => index["weight_map"]!["model.norm.weight"] = "c.safetensors" },
        { "tensor 'model.norm.weight' in 'model-", (index, _) => index["weight_map"]!.AsObject().Remove("model.norm.weight") },
        { "tensor 'extra' is not in", (index, _) => index["weight_map"]!["extra"] = First },
        { "metadata.total_size is 1,", (index, _) => index["metadata"] = new JsonObject { ["total_size"] = 1 } },
        { "metadata.total_size is no number", (index, _) => index["metadata"] = new JsonObject { ["total_size"] = "all" } },
        { "maps tensor names to file names", (index, _) => index["weight_map"]!["model.norm.weight"] = 7 },
        { "'model-00003-of-00003.safetensors' is named by no entry", (_, folder) => File.Copy(Path.Combine(folder, First), Path.Combine(folder, "model-00003-of-00003.safetensors")) },
        { "is in 'model-00002-of-00002.safetensors' and in 'model-00001-of-00002.safetensors'", (_, folder) => File.Copy(Path.Combine(folder, First), Path.Combine(folder, Second), overwrite: true) },
    };

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Load_IndexThatDoesNotFit_SaysWhere(string expected, Action<JsonObject, string> spoil)
    {
        JsonObject index = Split();
        using (PretrainedModel.Load(Folder))
        {
        }

        spoil(index, Folder);
        File.WriteAllText(Path.Combine(Folder, Index), index.ToJsonString());
        Assert.Contains(expected, Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NameTwiceInTheIndex_IsRefused()
    {
        Split();
        string path = Path.Combine(Folder, Index);
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"weight_map\":{", $"\"weight_map\":{{\"model.norm.weight\":\"{First}\",", StringComparison.Ordinal));
        Assert.Contains("not valid JSON", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TotalSizeOfAWiderOriginal_IsNoError()
    {
        JsonObject index = Split();
        index["metadata"] = new JsonObject { ["total_size"] = 1e12 };
        File.WriteAllText(Path.Combine(Folder, Index), index.ToJsonString());
        PretrainedModel.Load(Folder).Dispose();
    }

    [Fact]
    public void Load_TruncatedShard_NamesIt()
    {
        Split();
        using (FileStream shard = File.OpenWrite(Path.Combine(Folder, Second)))
            shard.SetLength(shard.Length - 1);
        string message = Assert.Throws<TensorFormatException>(() => PretrainedModel.Load(Folder)).Message;
        Assert.Contains(Second, message, StringComparison.Ordinal);
        Assert.Contains("truncated", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    public void Load_LinkOutOfTheFolder_IsRefused(string file)
    {
        string outside = Path.Combine(_root.Path, file), link = Path.Combine(Folder, file);
        File.Move(link, outside);
        File.CreateSymbolicLink(link, Path.Combine("..", file));
        Assert.Contains("a link that leads out of the folder", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LinkThroughAFolderThatLeadsOut_IsRefused()
    {
        string outside = Path.Combine(_root.Path, "outside");
        Directory.CreateDirectory(outside);
        File.Move(Path.Combine(Folder, "model.safetensors"), Path.Combine(outside, "x"));
        Directory.CreateSymbolicLink(Path.Combine(Folder, "inside"), outside);
        File.CreateSymbolicLink(Path.Combine(Folder, "model.safetensors"), Path.Combine("inside", "x"));
        Assert.Contains("a link that leads out of the folder", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LinksInACircle_AreRefused()
    {
        string link = Path.Combine(Folder, "model.safetensors");
        File.Delete(link);
        File.CreateSymbolicLink(link, "other");
        File.CreateSymbolicLink(Path.Combine(Folder, "other"), "model.safetensors");
        Assert.Contains("in a circle", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LinksWithinTheFolderOrIntoTheHubsBlobs_AreFollowed()
    {
        string cache = Path.Combine(_root.Path, "models--a--b"), snapshot = Path.Combine(cache, "snapshots", "0123"), blobs = Path.Combine(cache, "blobs");
        Directory.CreateDirectory(snapshot);
        Directory.CreateDirectory(blobs);
        File.Move(Path.Combine(Folder, "model.safetensors"), Path.Combine(blobs, "abc"));
        File.CreateSymbolicLink(Path.Combine(snapshot, "model.safetensors"), "../../blobs/abc");
        File.Move(Path.Combine(Folder, "config.json"), Path.Combine(snapshot, "real.json"));
        File.CreateSymbolicLink(Path.Combine(snapshot, "config.json"), "real.json");
        PretrainedModel.Load(snapshot).Dispose();

        // The folder itself may be a link: the user named it.
        Directory.CreateSymbolicLink(Path.Combine(_root.Path, "latest"), snapshot);
        PretrainedModel.Load(Path.Combine(_root.Path, "latest")).Dispose();
    }

    [Fact]
    public void Load_ConfigThatIsALinkToALargeFile_IsRefusedUnread()
    {
        string config = Path.Combine(Folder, "config.json"), large = Path.Combine(Folder, "large");
        using (FileStream file = File.Create(large))
            file.SetLength(1L << 32);
        File.Delete(config);
        File.CreateSymbolicLink(config, "large");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("4294967296 bytes are too many", Error(), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Load_Pipe_IsRefusedInsteadOfWaitedFor()
    {
        string config = Path.Combine(Folder, "config.json");
        File.Delete(config);
        Process.Start("mkfifo", config).WaitForExit();
        Assert.Contains("no regular file", Error(), StringComparison.Ordinal);
    }

    private NamedTensors Stored() => NamedTensors.FromFile(Path.Combine(Folder, "model.safetensors"));

    private void Rewrite(Action<NamedTensors> change, DType dtype = DType.F32)
    {
        NamedTensors stored = Stored();
        change(stored);
        stored.Save(Path.Combine(Folder, "model.safetensors"), dtype);
    }

    private void EditConfig(Action<JsonObject> change)
    {
        string path = Path.Combine(Folder, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    /// <summary>Replaces the single file by two shards and their index.</summary>
    private JsonObject Split()
    {
        NamedTensors stored = Stored();
        NamedTensors[] shards = [new(), new()];
        JsonObject map = [];
        foreach ((int i, string name) in stored.Names.Index())
        {
            shards[i % 2].Add(name, stored.Shape(name), stored[name]);
            map[name] = i % 2 == 0 ? First : Second;
        }

        shards[0].Save(Path.Combine(Folder, First));
        shards[1].Save(Path.Combine(Folder, Second));
        File.Delete(Path.Combine(Folder, "model.safetensors"));
        JsonObject index = new() { ["metadata"] = new JsonObject { ["total_size"] = 4 * stored.ElementCount }, ["weight_map"] = map };
        File.WriteAllText(Path.Combine(Folder, Index), index.ToJsonString());
        return index;
    }

    private string Error(ModelLoadOptions? options = null) => Assert.Throws<CheckpointException>(() => PretrainedModel.Load(Folder, options)).Message;
}
