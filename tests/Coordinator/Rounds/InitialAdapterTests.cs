using Federated.Coordinator.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using Federated.Tests.Support;

namespace Federated.Coordinator.Tests.Rounds;

public sealed class InitialAdapterTests : IDisposable
{
    private const string Head = "base_model.model.score.weight";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("federated-initial-");

    [Theory]
    [InlineData("llama", "peft-lora-llama-qv", "q_proj", "v_proj")]
    [InlineData("gpt2", "peft-lora-gpt2-cattn", "c_attn")]
    [InlineData("qwen2-sharded", "peft-lora-qwen2", "q_proj", "k_proj", "v_proj", "o_proj")]
    public void Write_BaseModel_GivesThePeftNamesAndShapesOfTheOfficialAdapter(string model, string official, params string[] targets)
    {
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(Repository.Fixtures, official, "adapter_model.safetensors"));
        int rank = (int)expected.Tensors.First(t => t.Name.Contains("lora_A", StringComparison.Ordinal)).Shape[0];
        NamedTensors adapter = Write(Path.Combine(Repository.Fixtures, model), Run(targets, [], rank: rank));
        Assert.Equal(expected.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), adapter.Names.Order(StringComparer.Ordinal));
        Assert.All(expected.Tensors, tensor => Assert.Equal(tensor.Shape, adapter.Shape(tensor.Name)));
    }

    [Fact]
    public void Write_BaseModel_DrawsAUniformAndLeavesBZero()
    {
        NamedTensors adapter = Write(Llama, Run(["q_proj", "k_proj", "v_proj", "o_proj"], [], rank: 32));
        foreach (string name in adapter.Names)
        {
            if (name.EndsWith("lora_B.weight", StringComparison.Ordinal))
            {
                Assert.All(adapter[name], value => Assert.Equal(0, value));
                continue;
            }

            // 1024 draws from U(-b, b): all inside, mean 0 and mean square b^2 / 3 within five standard errors.
            float bound = 1 / MathF.Sqrt(adapter.Shape(name)[1]);
            float[] unit = [.. adapter[name].Select(value => value / bound)];
            Assert.All(unit, value => Assert.InRange(value, -1, 1));
            Assert.Equal(0, unit.Average(), 5 * MathF.Sqrt(1f / 3 / unit.Length));
            Assert.Equal(1f / 3, unit.Average(value => value * value), 5 * MathF.Sqrt(4f / 45 / unit.Length));
        }

        // Every tensor has a stream of its own.
        Assert.Equal(adapter.Count / 2, adapter.Names.Where(n => n.Contains("lora_A", StringComparison.Ordinal)).Select(n => adapter[n][0]).Distinct().Count());
    }

    [Fact]
    public void Write_HeadThatTheBaseLacks_IsNormalOfTheConfiguredDeviation()
    {
        NamedTensors adapter = Write(Llama, Run(["q_proj"], ["score"], labels: ["spam", "ham", "unsure"]));
        Assert.Equal([3, 32], adapter.Shape(Head));
        double square = adapter[Head].Average(value => (double)value * value);
        Assert.Equal(0.02 * 0.02, square, 5 * 0.02 * 0.02 * Math.Sqrt(2.0 / 96));
    }

    [Fact]
    public void Write_HeadThatTheBaseHas_IsCopied()
    {
        string folder = Path.Combine(Repository.Fixtures, "llama-seqcls");
        NamedTensors adapter = Write(folder, Run(["q_proj"], ["score"], labels: ["a", "b", "c"]));
        using SafetensorsFile model = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        float[] expected = new float[adapter[Head].Length];
        model.ReadFloats(model.Info("score.weight"), expected);
        Assert.Equal(expected, adapter[Head]);
    }

    [Fact]
    public void Write_SameSeed_GivesTheSameBits()
    {
        NamedTensors first = Write(Llama, Run(["q_proj"], ["score"], seed: 7, labels: ["a", "b"]));
        Assert.True(first.ContentEquals(Write(Llama, Run(["q_proj"], ["score"], seed: 7, labels: ["a", "b"]))));
        Assert.False(first.ContentEquals(Write(Llama, Run(["q_proj"], ["score"], seed: 8, labels: ["a", "b"]))));
    }

    [Theory]
    [InlineData("q_porj", "score", "q_porj")]
    [InlineData("embed_tokens", "score", "embed_tokens")]
    [InlineData("q_proj", "q_proj", "q_proj")]
    [InlineData("q_proj", "classifier", "classifier")]
    public void Write_PlanThatDoesNotFitTheModel_NamesTheValue(string target, string whole, string named)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Write(Llama, Run([target], [whole], labels: ["a", "b"])));
        Assert.Contains($"'{named}", error.Message.Replace("model.layers.0.self_attn.", "", StringComparison.Ordinal).Replace("model.", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains(Llama, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NewHeadWithoutLabels_IsRefused() =>
        Assert.Throws<InvalidDataException>(() => Write(Llama, Run(["q_proj"], ["score"])));

    [Theory]
    [InlineData("""{"weight_map": {"a.weight": "../model.safetensors"}}""")]
    [InlineData("""{"weight_map": ["model.safetensors"]}""")]
    [InlineData("""{"weight_map": {"a.weight": 3}}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public void Write_HostileIndex_IsRefused(string index)
    {
        File.Copy(Path.Combine(Llama, "config.json"), Path.Combine(_folder.FullName, "config.json"));
        File.WriteAllText(Path.Combine(_folder.FullName, "model.safetensors.index.json"), index);
        Assert.Throws<InvalidDataException>(() => Write(_folder.FullName, Run(["q_proj"], [])));
    }

    [Fact]
    public void Write_FolderWithoutWeights_IsRefused()
    {
        File.Copy(Path.Combine(Llama, "config.json"), Path.Combine(_folder.FullName, "config.json"));
        Assert.Throws<InvalidDataException>(() => Write(_folder.FullName, Run(["q_proj"], [])));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Llama => Path.Combine(Repository.Fixtures, "llama");

    private NamedTensors Write(string model, RunDefinition run)
    {
        string path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        using (FileStream stream = File.Create(path))
            InitialAdapter.Write(stream, model, run);
        return NamedTensors.FromFile(path);
    }

    private static RunDefinition Run(string[] targets, string[] whole, ulong seed = 1, int rank = 4, string[]? labels = null) => new()
    {
        Run = "demo",
        After = null,
        Method = "fedit",
        MethodOptions = [],
        Sites = ["a"],
        Cohort = 1,
        Quorum = 1,
        DeadlineMilliseconds = 1000,
        Rounds = 1,
        Attempts = 1,
        Seed = seed,
        NormCap = 0,
        Adapter = new AdapterPlan { Rank = rank, Alpha = 8, Dropout = 0, TargetModules = targets, ModulesToSave = whole },
        Training = new TrainingPlan
        {
            Objective = "sequence-classification",
            Labels = labels ?? [],
            Steps = 1,
            StepOffset = 0,
            TotalSteps = 1,
            WarmupSteps = 0,
            Schedule = "constant",
            LearningRate = 0.1,
            BatchSize = 1,
            MaxTokens = 8,
            WeightDecay = 0,
            ClipNorm = 0,
            HoldoutShare = 0,
        },
    };
}
