using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Client.Tests.Models;
using Federated.Client.Tests.Training;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Adapters;

[Collection(nameof(NativeState))]
public sealed class AdaptedModelTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("adapter");
    private readonly PretrainedModel _model = PretrainedModel.Create(TinyLlama.Config(ModelTask.SequenceClassification), 1);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Attach_FreshAdapter_LeavesTheOutputAsItWas()
    {
        float[] before = Logits();
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Config(), 3);
        Near.Equal(before, Logits(), 1e-6, "logits");
    }

    [Fact]
    public void Attach_SameSeed_GivesTheSameFactors()
    {
        NamedTensors[] drawn = [.. new ulong[] { 3, 3, 4 }.Select(seed =>
        {
            using AdaptedModel adapted = AdaptedModel.Attach(_model, Config(), seed);
            return adapted.Export();
        })];
        Assert.True(drawn[0].ContentEquals(drawn[1]));
        Assert.False(drawn[0].ContentEquals(drawn[2]));
    }

    [Fact]
    public void Tensors_TargetsAndSavedModules_HavePeftNamesShapesAndClasses()
    {
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Config(), 3);
        // Two blocks; q_proj 24 -> 24, v_proj 24 -> 12, rank 2 and 5; score 24 -> 2.
        Assert.Equal((2 * ((2 * (24 + 24)) + (5 * (24 + 12)))) + 48, adapted.Tensors.Sum(tensor => tensor.Value.numel()));
        AdapterTensor b = adapted.Tensors.Single(tensor => tensor.Name == "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight");
        Assert.Equal([12, 5], b.Value.shape);
        Assert.Equal(FederationClass.Bilinear, b.Federation);
        Assert.Equal(FederationClass.Exact, adapted.Tensors.Single(tensor => tensor.Name == "base_model.model.score.weight").Federation);
    }

    [Fact]
    public void Train_AdapterOnly_LeavesTheFrozenBaseBitIdentical()
    {
        Dictionary<string, float[]> before = Weights();
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Config(), 3);
        NamedTensors start = adapted.Export();
        LocalTrainer trainer = new(_model, adapted.Trainable, new ClassificationObjective(), new() { Steps = 3, LearningRate = 0.05 });
        trainer.Run(Enumerable.Repeat(Batch(), 3));
        Assert.All(Weights(), weight => Assert.Equal(weight.Key != "score.weight", weight.Value.AsSpan().SequenceEqual(before[weight.Key])));
        Assert.All(start.Names, name => Assert.False(start[name].AsSpan().SequenceEqual(adapted.Export()[name]), name));
        Assert.All(_model.Parameters, parameter => Assert.Null(parameter.Value.grad));
    }

    [Fact]
    public void Train_WithDropout_IsBitIdenticalForASeedAndLeavesNoNativeTensorBehind()
    {
        using DisposeScope scope = NewDisposeScope();
        NamedTensors Train(long seed)
        {
            using AdaptedModel adapted = AdaptedModel.Attach(_model, Config() with { Dropout = 0.2, ModulesToSave = null }, 3);
            LocalTrainer trainer = new(_model, adapted.Trainable, new ClassificationObjective(), new() { Steps = 4, LearningRate = 0.05, Seed = seed });
            trainer.Run(Enumerable.Repeat(Batch(), 4));
            return adapted.Export();
        }

        NamedTensors first = Train(1);
        long alive = Tensor.TotalCount;
        Assert.True(first.ContentEquals(Train(1)));
        Assert.False(first.ContentEquals(Train(2)));
        Assert.Equal(alive + (2 * first.Names.Count * Counting.PerParameter), Tensor.TotalCount);
    }

    [Fact]
    public void Merge_TrainedAdapter_KeepsTheOutputAndFreesTheLayers()
    {
        using AdaptedModel adapted = Trained();
        float[] before = Logits();
        adapted.Merge();
        Near.Equal(before, Logits(), 1e-4, "logits");
        Assert.All(_model.Projections.Values, layer => Assert.Null(layer.Adapter));
        Assert.NotEqual(before, Logits(SequenceBatch.Packed(TinyLlama.Sequences(9, 4, 8))));
    }

    [Fact]
    public void Dispose_TrainedAdapter_RestoresTheBaseOutput()
    {
        LoraConfig config = Config() with { ModulesToSave = null };
        float[] before = Logits();
        using (AdaptedModel adapted = AdaptedModel.Attach(_model, config with { InitLoraWeights = LoraConfig.RandomInit }, 3))
            Assert.NotEqual(before, Logits());
        Assert.Equal(before, Logits());
    }

    [Fact]
    public void Dispose_TrainedModuleSavedWhole_BringsTheOldOneBack()
    {
        float[] before = Logits();
        using (Trained())
            Assert.NotEqual(before, Logits());
        Assert.Equal(before, Logits());
    }

    [Fact]
    public void Load_WhatSaveWrote_GivesTheSameOutput()
    {
        float[] expected;
        using (AdaptedModel adapted = Trained())
        {
            adapted.Save(_folder.FullName);
            expected = Logits();
        }

        using PretrainedModel other = PretrainedModel.Create(TinyLlama.Config(ModelTask.SequenceClassification), 1);
        using AdaptedModel loaded = AdaptedModel.Load(other, _folder.FullName);
        using IDisposable _ = no_grad();
        using Tensor logits = other.Logits(Batch().Tokens);
        Assert.Equal(expected, logits.Floats().ToArray());
    }

    [Fact]
    public void Import_TensorsOfAnotherAdapter_ListsThemAllAndChangesNothing()
    {
        using AdaptedModel adapted = Trained();
        NamedTensors before = adapted.Export(), changed = new();
        foreach (string name in before.Names.Where(name => name != "base_model.model.score.weight"))
        {
            bool reshape = name.EndsWith("layers.0.self_attn.v_proj.lora_A.weight", StringComparison.Ordinal);
            changed.Add(name, reshape ? [24, 5] : before.Shape(name), new float[before[name].Length]);
        }

        changed.Add("base_model.model.extra.weight", [1], [1]);
        string message = Assert.Throws<PeftFormatException>(() => adapted.Import(changed)).Message;
        Assert.Contains("missing: base_model.model.score.weight", message, StringComparison.Ordinal);
        Assert.Contains("wrong shape: base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight", message, StringComparison.Ordinal);
        Assert.Contains("surplus: 'base_model.model.extra.weight'", message, StringComparison.Ordinal);
        Assert.True(before.ContentEquals(adapted.Export()));
    }

    [Fact]
    public void Attach_HugeRankWithoutItsTensors_IsRefusedBeforeMemoryIsTaken()
    {
        // Factors of this rank would take 2^30 x (24 + 24) x 4 bytes a layer: more than an allocator gives.
        LoraConfig config = Config() with { Rank = 1 << 30, RankPattern = [] };
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(_model, config, new NamedTensors()));
        Assert.Contains("missing: base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight (1073741824, 24)", error.Message, StringComparison.Ordinal);
        Assert.All(_model.Projections.Values, layer => Assert.Null(layer.Adapter));
    }

    [Theory]
    [InlineData("pissa", false)]
    [InlineData("pissa_niter_4", false)]
    [InlineData("olora", false)]
    [InlineData("pissa", true)]
    public void Attach_StartFromAPartOfTheBase_KeepsTheOutputAndGivesTheBaseBack(string start, bool dora)
    {
        Dictionary<string, float[]> weights = Weights();
        float[] before = Logits();
        using (AdaptedModel adapted = AdaptedModel.Attach(_model, Config() with { InitLoraWeights = start, UseDora = dora }, 3))
        {
            Near.Equal(before, Logits(), 1e-5, "logits");
            Assert.False(weights["model.layers.0.self_attn.q_proj.weight"].AsSpan().SequenceEqual(Weights()["model.layers.0.self_attn.q_proj.weight"]));
        }

        Assert.All(Weights(), weight => Assert.True(weights[weight.Key].AsSpan().SequenceEqual(weight.Value), weight.Key));
    }

    [Fact]
    public void Attach_StartOfHigherRankThanTheWeight_IsRefused()
    {
        string message = Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(_model, Config() with { Rank = 25, InitLoraWeights = "pissa" }, 1)).Message;
        Assert.Contains("takes at most 24", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_SecondAdapter_IsRefused()
    {
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Config(), 3);
        Assert.Throws<InvalidOperationException>(() => AdaptedModel.Attach(_model, Config(), 3));
    }

    [Fact]
    public void Attach_BesideAnother_ActsTogetherWithItUntilEitherLeaves()
    {
        LoraConfig config = Config() with { ModulesToSave = null, InitLoraWeights = LoraConfig.RandomInit };
        float[] bare = Logits(), one, other;
        using (AdaptedModel.Attach(_model, config, 3))
            one = Logits();
        AdaptedModel first = AdaptedModel.Attach(_model, config with { Alpha = 9 }, 4);
        other = Logits();
        AdaptedModel second = AdaptedModel.Attach(_model, config, 3, besideOthers: true);
        float[] both = Logits();
        Assert.Throws<InvalidOperationException>(first.Merge);
        first.Dispose();
        Assert.Equal(one, Logits());
        second.Merge();
        // W + first + second, whichever way it comes about.
        using (AdaptedModel.Attach(_model, config with { Alpha = 9 }, 4))
            Near.Equal(both, Logits(), 1e-5, "both");
        Assert.NotEqual(both, other);
        Assert.NotEqual(bare, both);
    }

    [Fact]
    public void Attach_LanguageModelHeadAsTarget_TrainsThroughIt()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        using AdaptedModel adapted = AdaptedModel.Attach(model, new LoraConfig { Rank = 2, TargetModules = ModuleSelector.OfNames(["lm_head"]) }, 3);
        TrainingBatch batch = TrainingBatch.ForLanguageModel(TinyLlama.Sequences(4, 5, 8, shortest: 2));
        double before = Evaluator.LanguageModel(model, [batch]).Loss;
        new LocalTrainer(model, adapted.Trainable, new CausalLanguageModelObjective(), new() { Steps = 20, LearningRate = 0.05 }).Run(Enumerable.Repeat(batch, 20));
        Assert.True(Evaluator.LanguageModel(model, [batch]).Loss < before - 0.1);
    }

    private static LoraConfig Config() => new()
    {
        Rank = 2,
        Alpha = 4,
        TargetModules = ModuleSelector.OfNames(["q_proj", "v_proj"]),
        RankPattern = [new("v_proj", 5)],
        ModulesToSave = ["score"],
        TaskType = "SEQ_CLS",
    };

    private static TrainingBatch Batch() => TrainingBatch.ForClassification(TinyLlama.Sequences(9, 6, 8), [0, 1, 1, 0, 1, 0]);

    private AdaptedModel Trained()
    {
        AdaptedModel adapted = AdaptedModel.Attach(_model, Config(), 3);
        new LocalTrainer(_model, adapted.Trainable, new ClassificationObjective(), new() { Steps = 3, LearningRate = 0.05 }).Run(Enumerable.Repeat(Batch(), 3));
        return adapted;
    }

    private float[] Logits(SequenceBatch? batch = null)
    {
        using IDisposable _ = no_grad();
        using Tensor logits = _model.Logits(batch ?? Batch().Tokens);
        return logits.Floats().ToArray();
    }

    private Dictionary<string, float[]> Weights() => _model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.Floats().ToArray());
}
