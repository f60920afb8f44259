using System.Text.Json.Nodes;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Shared.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

public sealed class CheckpointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("checkpoint");

    private string ModelFile => Path.Combine(_folder.FullName, "model.safetensors");

    private string ConfigFile => Path.Combine(_folder.FullName, "config.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(ModelTask.CausalLanguageModel, false)]
    [InlineData(ModelTask.CausalLanguageModel, true)]
    [InlineData(ModelTask.SequenceClassification, false)]
    public void Load_WhatSaveWrote_GivesTheSameModel(ModelTask task, bool tied)
    {
        using PretrainedModel saved = PretrainedModel.Create(TinyLlama.Config(task, tied, labels: 3), 1);
        saved.Save(_folder.FullName);
        using PretrainedModel loaded = PretrainedModel.Load(_folder.FullName);
        Assert.Equal((LlamaConfig)saved.Config with { Labels = [], InitializerRange = 0 }, (LlamaConfig)loaded.Config with { Labels = [], InitializerRange = 0 });
        Assert.Equal(saved.Parameters.Select(p => p.Name), loaded.Parameters.Select(p => p.Name));
        Assert.All(saved.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(pair.First.Value.Floats().ToArray(), pair.Second.Value.Floats().ToArray()));
        Assert.Equal(saved.Config.BackboneParameters, saved.Parameters.Where(p => !p.Name.StartsWith("lm_head") && !p.Name.StartsWith("score")).Sum(p => p.Value.numel()));
    }

    [Fact]
    public void Save_HalfPrecision_IsReadBackRounded()
    {
        using PretrainedModel saved = PretrainedModel.Create(TinyLlama.Config(), 1);
        saved.Save(_folder.FullName, DType.F16);
        using PretrainedModel loaded = PretrainedModel.Load(_folder.FullName);
        Assert.All(saved.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(pair.First.Value.Floats().ToArray().Select(value => (float)(Half)value), pair.Second.Value.Floats().ToArray()));
        Assert.Equal("float16", JsonNode.Parse(File.ReadAllText(ConfigFile))!["torch_dtype"]!.GetValue<string>());
    }

    [Fact]
    public void Load_AnotherTask_KeepsTheBackboneAndMakesASeededHead()
    {
        using PretrainedModel language = PretrainedModel.Create(TinyLlama.Config(), 1);
        language.Save(_folder.FullName);
        ModelLoadOptions options = new() { Task = ModelTask.SequenceClassification, Labels = ["ham", "spam", "unsure"], HeadSeed = 7 };
        using PretrainedModel first = PretrainedModel.Load(_folder.FullName, options), second = PretrainedModel.Load(_folder.FullName, options);
        Assert.Equal(["ham", "spam", "unsure"], first.Config.Labels);
        float[] head = first.Parameters.Single(p => p.Name == "score.weight").Value.Floats().ToArray();
        Assert.Equal(3 * 24, head.Length);
        Assert.Equal(head, second.Parameters.Single(p => p.Name == "score.weight").Value.Floats().ToArray());
        Assert.Contains(head, value => value != 0);
        Assert.All(first.Parameters.Where(p => p.Name != "score.weight"), p => Assert.Equal(language.Parameters.Single(l => l.Name == p.Name).Value.Floats().ToArray(), p.Value.Floats().ToArray()));
    }

    [Fact]
    public void Load_WrongTensors_ListsEveryProblem()
    {
        using (PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1))
            model.Save(_folder.FullName);
        NamedTensors stored = NamedTensors.FromFile(ModelFile), changed = new();
        foreach (string name in stored.Names.Where(name => name != "model.norm.weight"))
        {
            bool reshape = name == "model.layers.1.mlp.up_proj.weight";
            changed.Add(name, reshape ? [24, 40] : stored.Shape(name), stored[name]);
        }

        changed.Add("model.layers.2.extra", [60], new float[60]);
        changed.Save(ModelFile);
        string message = Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.FullName)).Message;
        Assert.Contains("missing: model.norm.weight", message, StringComparison.Ordinal);
        Assert.Contains("wrong shape: model.layers.1.mlp.up_proj.weight", message, StringComparison.Ordinal);
        Assert.Contains("surplus: 'model.layers.2.extra'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ConfigOfALargerModel_FailsBeforeAllocating()
    {
        using (PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1))
            model.Save(_folder.FullName);
        Edit("vocab_size", 1 << 24);
        Edit("hidden_size", 1 << 20);
        Edit("head_dim", 2);
        string message = Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.FullName)).Message;
        Assert.Contains("do not belong together", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WrongConfig_ListsEveryProblemWithItsKey()
    {
        using (PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1))
            model.Save(_folder.FullName);
        Edit("hidden_act", "geglu");
        Edit("num_key_value_heads", 3);
        Edit("rms_norm_eps", "small");
        Edit("intermediate_size", null);
        Edit("pad_token_id", TinyLlama.Vocabulary);
        Edit("rope_scaling", new JsonObject { ["type"] = "longrope", ["factor"] = 2 });
        string message = Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.FullName)).Message;
        foreach (string key in new[] { "hidden_act: 'geglu'", "num_key_value_heads: 3", "rms_norm_eps: expected a number", "intermediate_size: missing", "pad_token_id: expected", "rope_scaling.type: 'longrope'" })
            Assert.Contains(key, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model_type": "lama", "architectures": ["LlamaForCausalLM"]}""", "known architectures: ")]
    [InlineData("""{"architectures": ["LlamaForCausalLM"]}""", "model_type is missing")]
    [InlineData("""{"model_type": "llama", "architectures": ["LlamaForTokenClassification"]}""", "LlamaForTokenClassification")]
    [InlineData("""{"model_type": """, "not valid JSON")]
    [InlineData("[]", "not an object")]
    [InlineData("""{"model_type": "\ud800"}""", "half of a surrogate pair")]
    [InlineData("""{"model_t\ud800pe": "llama"}""", "half of a surrogate pair")]
    [InlineData("""{"model_type": "llama", "id2label": {"\udc00": "x"}}""", "half of a surrogate pair")]
    public void Load_UnusableConfig_SaysWhy(string config, string expected)
    {
        File.WriteAllText(ConfigFile, config);
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoFolder_NamesTheFile() =>
        Assert.Contains("config.json", Assert.Throws<CheckpointException>(() => PretrainedModel.Load(Path.Combine(_folder.FullName, "none"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_Shards_GivesTheSameModel()
    {
        using PretrainedModel saved = PretrainedModel.Create(TinyLlama.Config(), 1);
        saved.Save(_folder.FullName);
        Split();
        using PretrainedModel loaded = PretrainedModel.Load(_folder.FullName);
        Assert.All(saved.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(pair.First.Value.Floats().ToArray(), pair.Second.Value.Floats().ToArray()));
    }

    [Theory]
    [InlineData("../a.safetensors", "no plain name")]
    [InlineData("c.safetensors", "not in the folder")]
    [InlineData("b.safetensors", "is not in 'b.safetensors'")]
    public void Load_IndexAndShardsDisagree_SaysWhere(string shard, string expected)
    {
        using (PretrainedModel saved = PretrainedModel.Create(TinyLlama.Config(), 1))
            saved.Save(_folder.FullName);
        Split();
        string index = Path.Combine(_folder.FullName, "model.safetensors.index.json");
        JsonNode json = JsonNode.Parse(File.ReadAllText(index))!;
        json["weight_map"]!["lm_head.weight"] = shard;
        File.WriteAllText(index, json.ToJsonString());
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_IndexWithHalfASurrogatePair_IsRefused()
    {
        using (PretrainedModel saved = PretrainedModel.Create(TinyLlama.Config(), 1))
            saved.Save(_folder.FullName);
        File.Delete(ModelFile);
        File.WriteAllText(Path.Combine(_folder.FullName, "model.safetensors.index.json"), """{"weight_map": {"lm_head.weight": "\ud800"}}""");
        Assert.Contains("half of a surrogate pair", Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_IdOutsideTheVocabulary_IsRefused()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        using DisposeScope scope = NewDisposeScope();
        Assert.Contains("37", Assert.Throws<ArgumentException>(() => model.Logits(SequenceBatch.Packed([new[] { 1, 37 }]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_SameSeed_GivesTheSameWeightsAndAZeroPaddingRow()
    {
        using PretrainedModel first = PretrainedModel.Create(TinyLlama.Config(), 3), second = PretrainedModel.Create(TinyLlama.Config(), 3), other = PretrainedModel.Create(TinyLlama.Config(), 4);
        Assert.All(first.Parameters.Zip(second.Parameters), pair => Assert.Equal(pair.First.Value.Floats().ToArray(), pair.Second.Value.Floats().ToArray()));
        Assert.NotEqual(first.Backbone.TokenTable!.Floats().ToArray(), other.Backbone.TokenTable!.Floats().ToArray());
        float[] table = first.Backbone.TokenTable!.Floats().ToArray();
        Assert.All(table[..24], value => Assert.Equal(0, value));
        // 36 x 24 draws of deviation 0.2: the standard error of their deviation is 0.0048.
        Near.Equal([0.2f], [(float)Math.Sqrt(table[24..].Average(value => (double)value * value))], 0.03, "deviation");
    }

    private void Split()
    {
        NamedTensors stored = NamedTensors.FromFile(ModelFile);
        NamedTensors[] shards = [new(), new()];
        JsonObject map = [];
        foreach ((int i, string name) in stored.Names.Index())
        {
            int shard = name == "lm_head.weight" ? 0 : i % 2;
            shards[shard].Add(name, stored.Shape(name), stored[name]);
            map[name] = shard == 0 ? "a.safetensors" : "b.safetensors";
        }

        shards[0].Save(Path.Combine(_folder.FullName, "a.safetensors"));
        shards[1].Save(Path.Combine(_folder.FullName, "b.safetensors"));
        File.Delete(ModelFile);
        File.WriteAllText(Path.Combine(_folder.FullName, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
    }

    private void Edit(string key, JsonNode? value)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(ConfigFile))!;
        config[key] = value;
        File.WriteAllText(ConfigFile, config.ToJsonString());
    }
}
