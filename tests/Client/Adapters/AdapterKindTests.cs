using System.Text;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Client.Tests.Models;
using Federated.Client.Tests.Training;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using Federated.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Adapters;

/// <summary>What every kind of adapter has to do, whatever its numbers: start without effect, be reproducible, merge, survive its file, refuse what does not fit.</summary>
[Collection(nameof(NativeState))]
public sealed class AdapterKindTests : IDisposable
{
    private static readonly ModuleSelector Targets = ModuleSelector.OfNames(["q_proj", "v_proj", "down_proj"]);

    /// <summary>Settings whose new adapters change nothing, with every option on that acts in training only.</summary>
    private static readonly Dictionary<string, PeftConfig> Neutral = new(StringComparer.Ordinal)
    {
        ["AdaLoRA"] = new AdaLoraConfig { InitialRank = 3, TargetRank = 1, TotalSteps = 10, FinalSteps = 2, Dropout = 0.2, TargetModules = Targets },
        ["LoHa"] = new LohaConfig { Rank = 2, RankDropout = 0.3, ModuleDropout = 0.3, TargetModules = Targets },
        ["LoKr"] = new LokrConfig { Rank = 1, RankDropout = 0.3, RankDropoutScale = true, TargetModules = Targets },
        ["LoKr, right"] = new LokrConfig { Rank = 1, DecomposeBoth = true, InitWeights = LokrInit.RightZero, TargetModules = Targets },
        ["OFT"] = new OftConfig { BlockSize = 4, ModuleDropout = 0.3, TargetModules = Targets },
        ["OFT, shared"] = new OftConfig { BlockSize = 0, Blocks = 4, BlockShare = true, UseNeumannSeries = false, TargetModules = Targets },
        ["OFT, constrained"] = new OftConfig { BlockSize = 4, Constrained = true, Epsilon = 0.1, UseNeumannSeries = false, TargetModules = Targets },
        ["BOFT"] = new BoftConfig { BlockSize = 2, Factors = 3, Dropout = 0.3, TargetModules = Targets },
        ["HRA"] = new HraConfig { Rank = 4, TargetModules = Targets },
        ["VeRA"] = new VeraConfig { Rank = 5, Dropout = 0.2, TargetModules = Targets },
        ["FourierFT"] = new FourierFtConfig { Frequencies = 20, InitWeights = true, TargetModules = Targets },
    };

    /// <summary>Settings whose new adapters are random.</summary>
    private static readonly Dictionary<string, PeftConfig> Random = new(StringComparer.Ordinal)
    {
        ["AdaLoRA, random"] = new AdaLoraConfig { InitialRank = 3, TotalSteps = 10, InitLoraWeights = false, TargetModules = Targets },
        ["LoHa, random"] = new LohaConfig { Rank = 2, InitWeights = false, TargetModules = Targets },
        ["LoKr, random"] = new LokrConfig { Rank = 8, InitWeights = LokrInit.Random, TargetModules = Targets },
        ["OFT, random"] = new OftConfig { BlockSize = 4, InitWeights = false, UseNeumannSeries = false, TargetModules = Targets },
        ["OFT, series"] = new OftConfig { BlockSize = 4, InitWeights = false, TargetModules = Targets },
        ["BOFT, random"] = new BoftConfig { BlockSize = 4, Factors = 2, InitWeights = false, TargetModules = ModuleSelector.OfNames("down_proj") },
        ["HRA, random"] = new HraConfig { Rank = 3, InitWeights = false, TargetModules = Targets },
        ["HRA, orthogonal"] = new HraConfig { Rank = 3, Orthogonalise = true, TargetModules = Targets },
        ["VeRA, random"] = new VeraConfig { Rank = 5, InitWeights = false, TargetModules = Targets },
        ["VB-LoRA"] = new VbLoraConfig { Rank = 2, Vectors = 6, VectorLength = 4, Dropout = 0.2, TargetModules = Targets },
        ["FourierFT, random"] = new FourierFtConfig { Frequencies = 20, TargetModules = Targets },
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("adapter");
    private readonly PretrainedModel _model = PretrainedModel.Create(TinyLlama.Config(), 1);

    public static TheoryData<string> NeutralKinds => [.. Neutral.Keys];

    public static TheoryData<string> RandomKinds => [.. Random.Keys];

    public static TheoryData<string> Kinds => [.. Neutral.Keys, .. Random.Keys];

    public void Dispose()
    {
        _model.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(NeutralKinds))]
    public void Attach_NeutralStart_LeavesTheOutputAsItWas(string kind)
    {
        float[] before = Logits();
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Neutral[kind], 3);
        Near.Equal(before, Logits(), 1e-5, "logits");
    }

    [Theory]
    [MemberData(nameof(RandomKinds))]
    public void Attach_RandomStart_ChangesTheOutputAndFollowsTheSeed(string kind)
    {
        float[] before = Logits();
        NamedTensors[] drawn = [.. new ulong[] { 3, 3, 4 }.Select(seed =>
        {
            using AdaptedModel adapted = AdaptedModel.Attach(_model, Random[kind], seed);
            Assert.NotEqual(before, Logits());
            return adapted.Export();
        })];
        Assert.True(drawn[0].ContentEquals(drawn[1]));
        Assert.False(drawn[0].ContentEquals(drawn[2]));
        Assert.Equal(before, Logits());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Train_ThreeSteps_MovesItReproduciblyAndNotTheBase(string kind)
    {
        Dictionary<string, float[]> weights = Weights();
        NamedTensors[] trained = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            using AdaptedModel adapted = Trained(kind);
            Assert.All(Weights(), weight => Assert.True(weights[weight.Key].AsSpan().SequenceEqual(weight.Value), weight.Key));
            return adapted.Export();
        })];
        Assert.True(trained[0].ContentEquals(trained[1]));
        Assert.All(trained[0].Names, name => Assert.All(trained[0][name], value => Assert.True(float.IsFinite(value), name)));
        Assert.Contains(trained[0].Names, name => trained[0][name].Any(value => value != 0));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void SaveLoadMerge_TrainedAdapter_GiveTheSameOutput(string kind)
    {
        float[] expected;
        using (AdaptedModel adapted = Trained(kind))
        {
            expected = Logits();
            adapted.Save(_folder.FullName);
        }

        using AdaptedModel loaded = AdaptedModel.Load(_model, _folder.FullName);
        Assert.Equal(expected, Logits());
        loaded.Merge();
        Near.Equal(expected, Logits(), 1e-4, "logits");
    }

    [Theory]
    [InlineData("""{"peft_type":"LOHA","target_modules":["q_proj"],"r":0}""", "r is 0")]
    [InlineData("""{"peft_type":"LOKR","target_modules":["q_proj"],"r":2147483648}""", "r is 2147483648")]
    [InlineData("""{"peft_type":"LOKR","target_modules":["q_proj"],"decompose_factor":0}""", "decompose_factor is 0")]
    [InlineData("""{"peft_type":"LOKR","target_modules":["q_proj"],"use_effective_conv2d":true}""", "use_effective_conv2d")]
    [InlineData("""{"peft_type":"OFT","target_modules":["q_proj"],"r":2,"oft_block_size":4}""", "wanted one of them")]
    [InlineData("""{"peft_type":"BOFT","target_modules":["q_proj"],"boft_block_size":7}""", "boft_block_size 7 does not divide")]
    [InlineData("""{"peft_type":"BOFT","target_modules":["q_proj"],"boft_block_size":4,"boft_n_butterfly_factor":3}""", "multiple of 4 blocks")]
    [InlineData("""{"peft_type":"HRA","target_modules":["q_proj"],"r":25,"apply_GS":true}""", "at most as many reflections")]
    [InlineData("""{"peft_type":"VERA","target_modules":["q_proj"],"projection_prng_key":-1}""", "projection_prng_key is -1")]
    [InlineData("""{"peft_type":"VBLORA","target_modules":["q_proj"],"topk":300}""", "topk is 300")]
    [InlineData("""{"peft_type":"VBLORA","target_modules":["q_proj"],"vector_length":5}""", "vector_length is 5")]
    [InlineData("""{"peft_type":"VBLORA","target_modules":["q_proj"],"save_only_topk_weights":true}""", "save_only_topk_weights")]
    [InlineData("""{"peft_type":"FOURIERFT","target_modules":["q_proj"],"n_frequency":577}""", "has only 576")]
    [InlineData("""{"peft_type":"ADALORA","target_modules":["q_proj"],"tinit":6,"tfinal":4,"total_step":10}""", "leave none of the 10 steps")]
    [InlineData("""{"peft_type":"ADALORA","target_modules":["q_proj"],"init_r":2,"rank_pattern":{"q_proj.lora_E":[true]}}""", "a list of 2 times")]
    [InlineData("""{"peft_type":"ADALORA","target_modules":["q_proj"],"beta1":1}""", "beta1 is 1")]
    [InlineData("""{"peft_type":"VERA","target_modules":["q_proj"],"bias":"all"}""", "bias is \"all\"")]
    [InlineData("""{"peft_type":"VERA","target_modules":["embed_tokens"]}""", "no linear layer")]
    public void Attach_SettingsThatDoNotFit_AreRefusedByName(string json, string named)
    {
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(_model, PeftConfig.Parse(Encoding.UTF8.GetBytes(json), "file"), 1));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.All(_model.Projections.Values, layer => Assert.Null(layer.Adapter));
    }

    [Theory]
    [InlineData("LOHA")]
    [InlineData("LOKR")]
    [InlineData("HRA")]
    [InlineData("VERA")]
    [InlineData("VBLORA")]
    public void Attach_GreatRankWithoutItsTensors_IsRefusedBeforeMemoryIsTaken(string kind)
    {
        string json = $$"""{"peft_type":"{{kind}}","target_modules":["q_proj"],"r":1048576{{(kind == "VBLORA" ? ",\"vector_length\":4,\"num_vectors\":1048576" : "")}}}""";
        PeftConfig config = PeftConfig.Parse(Encoding.UTF8.GetBytes(json), "file");
        if (config is LokrConfig lokr)
            config = lokr with { Rank = 1 };
        Assert.Contains("missing: ", Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(_model, config, new NamedTensors())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vera_ProjectionNotStored_ComesFromItsKeyAsInTheOfficialFile()
    {
        string folder = Path.Combine(Repository.Fixtures, "peft-vera-llama");
        AdapterFolder stored = AdapterFolder.Read(folder);
        NamedTensors vectors = new();
        foreach (string name in stored.Tensors.Names.Where(name => !name.StartsWith("base_model.vera_", StringComparison.Ordinal)))
            vectors.Add(name, stored.Tensors.Shape(name), stored.Tensors[name]);
        using Golden golden = new("peft-vera-llama");
        using PretrainedModel model = PretrainedModel.Load(golden.Base);
        using AdaptedModel adapted = AdaptedModel.Attach(model, (VeraConfig)stored.Config with { SaveProjection = false }, vectors);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats("logits"), model.Logits(golden.Batch().Input).Floats(), golden.Tolerance("logits"), "logits");
        Assert.True(adapted.Export().ContentEquals(vectors));
    }

    [Fact]
    public void AdaLora_WithoutTotalSteps_LoadsButDoesNotTrain()
    {
        using AdaptedModel adapted = AdaptedModel.Attach(_model, (AdaLoraConfig)Neutral["AdaLoRA"] with { TotalSteps = null }, 3);
        LocalTrainer trainer = new(adapted, new CausalLanguageModelObjective(), new() { Steps = 1 });
        Assert.Contains("total_step", Assert.Throws<PeftFormatException>(() => trainer.Step([Batch()])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AdaLora_ResumedRun_SharesOutRanksAsTheUninterruptedOne()
    {
        string state = Path.Combine(_folder.FullName, "state.safetensors");
        PeftConfig config = Neutral["AdaLoRA"];
        TrainingOptions options = new() { Steps = 10, LearningRate = 0.05 };
        NamedTensors expected;
        using (AdaptedModel whole = AdaptedModel.Attach(_model, config, 3))
        {
            LocalTrainer trainer = new(whole, new CausalLanguageModelObjective(), options);
            trainer.Run(Enumerable.Repeat(Batch(), 5));
            trainer.Save(state);
            trainer.Run(Enumerable.Repeat(Batch(), 5));
            expected = whole.Export();
        }

        using AdaptedModel resumed = AdaptedModel.Attach(_model, config, 4);
        LocalTrainer second = new(resumed, new CausalLanguageModelObjective(), options);
        second.Load(state);
        second.Run(Enumerable.Repeat(Batch(), 5));
        Assert.True(expected.ContentEquals(resumed.Export()));
        // Six layers of target rank 1 keep six triplets of eighteen.
        Assert.Equal(6, expected.Names.Where(name => name.EndsWith("lora_E", StringComparison.Ordinal)).Sum(name => expected[name].Length));
    }

    private static TrainingBatch Batch() => TrainingBatch.ForLanguageModel(TinyLlama.Sequences(4, 5, 8, shortest: 2));

    private AdaptedModel Trained(string kind)
    {
        AdaptedModel adapted = AdaptedModel.Attach(_model, Neutral.GetValueOrDefault(kind) ?? Random[kind], 3);
        new LocalTrainer(adapted, new CausalLanguageModelObjective(), new() { Steps = 3, LearningRate = 0.02 }).Run(Enumerable.Repeat(Batch(), 3));
        return adapted;
    }

    private float[] Logits()
    {
        using IDisposable _ = no_grad();
        using Tensor logits = _model.Logits(SequenceBatch.Packed(TinyLlama.Sequences(9, 4, 8)));
        return logits.Floats().ToArray();
    }

    private Dictionary<string, float[]> Weights() => _model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.Floats().ToArray());
}
