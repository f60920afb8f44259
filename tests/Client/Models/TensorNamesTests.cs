using Federated.Client.Models;
using Federated.Shared.Tensors;

namespace Federated.Client.Tests.Models;

/// <summary>Checkpoints that spell the same model in other ways give the same model.</summary>
public sealed class TensorNamesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly PretrainedModel _saved;

    public TensorNamesTests()
    {
        _saved = PretrainedModel.Create(TinyLlama.Config(), 1);
        _saved.Save(_folder.Path);
    }

    private string File => Path.Combine(_folder.Path, "model.safetensors");

    public void Dispose()
    {
        _saved.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_NamesWithoutTheBackbones_GivesTheSameModel() => CheckRenamed(name => name.StartsWith("model.", StringComparison.Ordinal) ? name["model.".Length..] : name);

    [Fact]
    public void Load_NormsNamedAsInTensorFlow_GivesTheSameModel() => CheckRenamed(name => name.EndsWith("norm.weight", StringComparison.Ordinal) ? name.Replace(".weight", ".gamma", StringComparison.Ordinal) : name);

    [Fact]
    public void Load_BuffersOfOlderVersions_AreIgnored()
    {
        Rewrite(name => name, stored => stored.Add("model.layers.0.self_attn.rotary_emb.inv_freq", [3], [1, 2, 3]));
        CheckSame();
    }

    [Fact]
    public void Load_TiedHeadThatIsStored_IsIgnored()
    {
        using PretrainedModel tied = PretrainedModel.Create(TinyLlama.Config(tied: true), 1);
        tied.Save(_folder.Path);
        Rewrite(name => name, stored => stored.Add("lm_head.weight", tied.Backbone.TokenTable!.shape, tied.Backbone.TokenTable.Floats().ToArray()));
        using PretrainedModel loaded = PretrainedModel.Load(_folder.Path);
        Assert.Equal(tied.Parameters.Select(p => p.Name), loaded.Parameters.Select(p => p.Name));
    }

    [Fact]
    public void Load_TwoTensorsForOneParameter_IsAnError()
    {
        Rewrite(name => name, stored => stored.Add("norm.gamma", [24], new float[24]));
        string message = Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.Path)).Message;
        Assert.Contains("are both model.norm.weight", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_CheckpointWithoutAHead_WantsATask()
    {
        string config = Path.Combine(_folder.Path, "config.json");
        System.IO.File.WriteAllText(config, System.IO.File.ReadAllText(config).Replace("LlamaForCausalLM", "LlamaModel", StringComparison.Ordinal));
        Rewrite(name => name["model.".Length..], stored => { }, skip: "lm_head.weight");
        Assert.Contains("has no head", Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.Path)).Message, StringComparison.Ordinal);
        using PretrainedModel loaded = PretrainedModel.Load(_folder.Path, new() { Task = ModelTask.SequenceClassification, Labels = ["a", "b", "c"], HeadSeed = 1 });
        Assert.Equal([3L, 24], loaded.Parameters.Single(p => p.Name == "score.weight").Value.shape);
        Assert.Equal(_saved.Backbone.TokenTable!.Floats().ToArray(), loaded.Backbone.TokenTable!.Floats().ToArray());
    }

    private void CheckRenamed(Func<string, string> rename)
    {
        Rewrite(rename, stored => Assert.NotEqual(_saved.Parameters.Select(p => p.Name).Order(), stored.Names.Order()));
        CheckSame();
    }

    private void CheckSame()
    {
        using PretrainedModel loaded = PretrainedModel.Load(_folder.Path);
        Assert.Equal(_saved.Parameters.Select(p => p.Name), loaded.Parameters.Select(p => p.Name));
        Assert.All(_saved.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(pair.First.Value.Floats().ToArray(), pair.Second.Value.Floats().ToArray()));
    }

    private void Rewrite(Func<string, string> rename, Action<NamedTensors> change, string? skip = null)
    {
        NamedTensors stored = NamedTensors.FromFile(File), renamed = new();
        foreach (string name in stored.Names.Where(name => name != skip))
            renamed.Add(rename(name), stored.Shape(name), stored[name]);
        change(renamed);
        renamed.Save(File);
    }
}
