using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Client.Adapters;
using Federated.Client.Commands;
using Federated.Client.Inspection;
using Federated.Client.Models;
using Federated.Client.Tests.Commands;
using Federated.Client.Tests.Models;
using Federated.Client.Tests.Training;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using Federated.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Inspection;

[Collection(nameof(NativeState))]
public sealed class InspectorTests
{
    private static readonly MemoryOptions Options = new();

    public static TheoryData<string> Models => [.. Directory.GetDirectories(Repository.Fixtures)
        .Where(folder => File.Exists(Path.Combine(folder, "config.json")) && !File.Exists(Path.Combine(folder, "adapter_config.json"))).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Adapters => [.. Directory.GetDirectories(Repository.Fixtures)
        .Where(folder => File.Exists(Path.Combine(folder, "adapter_model.safetensors"))).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Checkpoint_OfTheOfficialCode_CountsWhatLoadingGives(string name)
    {
        string folder = Path.Combine(Repository.Fixtures, name);
        CheckpointReport report = Inspector.Checkpoint(folder, Options);
        using PretrainedModel model = PretrainedModel.Load(folder);
        Assert.Equal((model.Config.ModelType, model.Config.ClassName, model.ParameterCount), (report.Architecture, report.Class, report.Parameters));
        Assert.Equal(report.Parameters, report.Parts.Values.Sum());
        Assert.Equal(4 * model.ParameterCount, report.Memory.Weights);
        Assert.Equal(Directory.GetFiles(folder, "model*.safetensors").Sum(file => new FileInfo(file).Length), report.Files.Values.Sum());
        string[] parts = ["embeddings", .. report.Architecture == "mlp_mixer" ? [] : new[] { "attention" }, "feed_forward", "norms", .. model.Head.Modules.Count > 0 ? new[] { "head" } : []];
        Assert.Equal(parts, report.Parts.Keys);
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Adapter_OfTheOfficialCode_CountsWhatTheFileHolds(string name)
    {
        string folder = Path.Combine(Repository.Fixtures, name);
        AdapterReport report = Inspector.Adapter(folder);
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!;
        NamedTensors tensors = NamedTensors.FromFile(Path.Combine(folder, "adapter_model.safetensors"));
        Assert.Equal((config["peft_type"]!.GetValue<string>(), tensors.ElementCount, 4 * tensors.ElementCount), (report.PeftType, report.Parameters, report.StoredBytes.Values.Sum()));
        Assert.Equal(tensors.Names.Where(tensor => tensor.Contains("lora_A", StringComparison.Ordinal) || tensor.Contains("lora_embedding_A", StringComparison.Ordinal)).Select(tensor => tensors.Shape(tensor)[0]).Distinct().Order(),
            config["peft_type"]!.GetValue<string>() == "LORA" ? report.Ranks : tensors.Names.Where(tensor => tensor.Contains("lora_A", StringComparison.Ordinal)).Select(tensor => tensors.Shape(tensor)[0]).Distinct().Order());
    }

    [Fact]
    public void Checkpoint_Llama_HasThePartsOfItsFormula()
    {
        using TemporaryFolder folder = new();
        LlamaConfig config = TinyLlama.Config();
        using (PretrainedModel model = PretrainedModel.Create(config, 1))
            model.Save(folder.Path, DType.BF16);
        CheckpointReport report = Inspector.Checkpoint(folder.Path, new(Rank: 3, BatchSize: 2, MaxTokens: 10));

        // Hidden 24, 2 layers, 4 query and 2 key heads of 6, feed-forward 40, vocabulary 37, biases on attention.
        Assert.Equal(37 * 24, report.Parts["embeddings"]);
        Assert.Equal(2 * ((24 * 24 * 2) + (24 * 12 * 2) + 24 + 12 + 12 + 24), report.Parts["attention"]);
        Assert.Equal(2 * 3 * 24 * 40, report.Parts["feed_forward"]);
        Assert.Equal(5 * 24, report.Parts["norms"]);
        Assert.Equal(37 * 24, report.Parts["head"]);
        Assert.Equal(new Dictionary<string, long> { ["BF16"] = 2 * report.Parameters }, report.StoredBytes);
        Assert.Equal(("causal_language_model", 64, 37, null, false), (report.Task, report.ContextLength, report.VocabularySize, report.Tokenizer, report.ChatTemplate));

        long widths = 2 * ((24 + 24) + (24 + 12) + (24 + 12) + (24 + 24) + (24 + 40) + (24 + 40) + (40 + 24));
        Assert.Equal(3 * widths, report.Memory.LoraParameters);
        Assert.Equal(16 * 3 * widths, report.Memory.LoraState);
        Assert.Equal(4 * 2 * 10 * widths, report.Memory.Activations);
        Assert.Equal(2 * 4 * 2 * 2 * 6 * 10, report.Memory.KeyValueCache);
        Assert.Equal(report.Memory.Program + report.Memory.Weights + report.Memory.LoraState + report.Memory.Activations, report.Memory.LoraTraining);
    }

    [Fact]
    public void Estimate_OfFactorsAndCache_IsWhatTheyTake()
    {
        string folder = Path.Combine(Repository.Fixtures, "llama");
        MemoryEstimate memory = Inspector.Checkpoint(folder, new(Rank: 4, MaxTokens: 7)).Memory;
        using PretrainedModel model = PretrainedModel.Load(folder);
        using (AdaptedModel adapted = AdaptedModel.Attach(model, new LoraConfig { Rank = 4, TargetModules = ModuleSelector.AllLinear }, 1))
            Assert.Equal(adapted.Trainable.Sum(tensor => tensor.Value.numel()), memory.LoraParameters);

        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using KeyValueCache cache = new();
        model.Encode(SequenceBatch.Packed([Enumerable.Range(1, 7).ToArray()]), new() { Cache = cache });
        long layers = model.TextConfig.KeyValueShape!.Value.Layers;
        Assert.Equal(Enumerable.Range(0, (int)layers).Sum(layer => 4 * (cache.Layer(layer).Keys.numel() + cache.Layer(layer).Values.numel())), memory.KeyValueCache);
    }

    [Fact]
    public void Checkpoint_OfAHundredGigabytes_IsReadFromItsHeader()
    {
        using TemporaryFolder folder = new();
        // 25 G numbers in a file that has no content but its header: reading any weight would be seen, since zeros take no disk but time.
        LlamaConfig config = TinyLlama.Config() with { VocabularySize = 32000, HiddenSize = 8192, Heads = 64, KeyValueHeads = 64, HeadSize = 128, IntermediateSize = 22016, Layers = 31, AttentionBias = false, PadTokenId = null, MaxPositions = 4096, Labels = [] };
        using (FileStream file = File.Create(Path.Combine(folder.Path, "config.json")))
            config.Write(file);
        (SafetensorsHeader header, byte[] bytes) = SafetensorsHeader.Create(Tensors(config));
        using (FileStream file = File.Create(Path.Combine(folder.Path, "model.safetensors")))
        {
            file.Write(bytes);
            file.SetLength(header.FileLength);
        }

        double before = Resident();
        CheckpointReport report = Inspector.Checkpoint(folder.Path, Options);
        Assert.InRange(header.FileLength, 100_000_000_000, 120_000_000_000);
        Assert.Equal(header.DataLength / 4, report.Parameters);
        Assert.InRange(Resident() - before, -1e9, 100e6);
    }

    [Fact]
    public async Task Inspect_ForPeopleAndForMachines_SaysTheSame()
    {
        string model = Path.Combine(Repository.Fixtures, "llama"), adapter = Path.Combine(Repository.Fixtures, "peft-lora-llama-qv");
        (int code, string text, _) = await CapturedConsole.RunAsync("inspect", model);
        (_, string json, _) = await CapturedConsole.RunAsync("inspect", model, "--json");
        CheckpointReport report = JsonSerializer.Deserialize(json, InspectionJson.Default.CheckpointReport)!;
        Assert.Equal(ExitCodes.Ok, code);
        Assert.Contains(FormattableString.Invariant($"{report.Parameters:N0}"), text, StringComparison.Ordinal);
        Assert.Contains("LlamaForCausalLM", text, StringComparison.Ordinal);

        (_, json, _) = await CapturedConsole.RunAsync("inspect", adapter, "--model", model, "--json");
        AdapterReport inspected = JsonSerializer.Deserialize(json, InspectionJson.Default.AdapterReport)!;
        Assert.Equal((double)inspected.Parameters / report.Parameters, inspected.ShareOfModel);
        (_, text, _) = await CapturedConsole.RunAsync("inspect", adapter, "--model", model);
        Assert.Contains("LORA", text, StringComparison.Ordinal);
        Assert.Contains("%", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_FolderOfSomethingElse_SaysWhatIsMissing()
    {
        using TemporaryFolder folder = new();
        (int code, _, string error) = await CapturedConsole.RunAsync("inspect", folder.Path);
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("config.json: no such file", error, StringComparison.Ordinal);
        (code, _, error) = await CapturedConsole.RunAsync("inspect", Path.Combine(folder.Path, "none"), "--rank", "0");
        Assert.Equal(ExitCodes.BadConfiguration, code);
        Assert.Contains("FOLDER", error, StringComparison.Ordinal);
        Assert.Contains("--rank", error, StringComparison.Ordinal);
    }

    private static double Resident()
    {
        using System.Diagnostics.Process self = System.Diagnostics.Process.GetCurrentProcess();
        return self.WorkingSet64;
    }

    private static IEnumerable<TensorInfo> Tensors(LlamaConfig config)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        TensorInfo Of(string name, params long[] shape) => TensorInfo.Declare(name + ".weight", DType.F32, shape);
        yield return Of("model.embed_tokens", config.VocabularySize, hidden);
        yield return Of("lm_head", config.VocabularySize, hidden);
        yield return Of("model.norm", hidden);
        for (int i = 0; i < config.Layers; i++)
        {
            foreach (string name in (string[])["q_proj", "k_proj", "v_proj", "o_proj"])
                yield return Of($"model.layers.{i}.self_attn.{name}", hidden, hidden);
            yield return Of($"model.layers.{i}.mlp.gate_proj", inner, hidden);
            yield return Of($"model.layers.{i}.mlp.up_proj", inner, hidden);
            yield return Of($"model.layers.{i}.mlp.down_proj", hidden, inner);
            yield return Of($"model.layers.{i}.input_layernorm", hidden);
            yield return Of($"model.layers.{i}.post_attention_layernorm", hidden);
        }
    }
}
