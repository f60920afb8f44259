using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Models;
using Federated.Client.Tests.Training;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Adapters;

/// <summary>Parameters of the model that train along with an adapter: biases, norms, and a table that a head is tied to.</summary>
[Collection(nameof(NativeState))]
public sealed class WholeParameterTests
{
    private const string Bias = "base_model.model.model.layers.1.self_attn.q_proj.base_layer.bias";

    [Fact]
    public void LoraOnlyBiases_FileWithoutThem_IsReadAndWrittenWithThoseThatChanged()
    {
        LoraConfig config = new() { Rank = 2, TargetModules = ModuleSelector.OfNames("q_proj"), Bias = LoraBias.LoraOnly };
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        NamedTensors factors = new();
        using (AdaptedModel fresh = AdaptedModel.Attach(model, config, 1))
        {
            NamedTensors all = fresh.Export();
            Assert.True(all.Contains(Bias));
            foreach (string name in all.Names.Where(name => !name.EndsWith(".bias", StringComparison.Ordinal)))
                factors.Add(name, all.Shape(name), all[name]);
        }

        Assert.Equal(4, factors.Count);
        using AdaptedModel adapted = AdaptedModel.Attach(model, config, factors);
        Assert.True(factors.ContentEquals(adapted.Export()));
        adapted.Trainable.Single(trained => trained.Name == Bias).Value.Floats()[0] = 7;
        Assert.Equal(7, adapted.Export()[Bias][0]);
        Assert.Equal(5, adapted.Export().Count);
    }

    [Fact]
    public void AllBiases_EveryOne_TrainsUnderItsNameOrThatOfTheWrappedLayer()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1);
        using AdaptedModel adapted = AdaptedModel.Attach(model, new LoraConfig { TargetModules = ModuleSelector.OfNames("q_proj"), Bias = LoraBias.All }, 1);
        string[] biases = [.. adapted.Trainable.Select(trained => trained.Name).Where(name => name.EndsWith(".bias", StringComparison.Ordinal))];
        Assert.Equal(model.Parameters.Count(parameter => parameter.Name.EndsWith(".bias", StringComparison.Ordinal)), biases.Length);
        Assert.Contains(Bias, biases);
        Assert.Contains("base_model.model.model.layers.1.self_attn.k_proj.bias", biases);
    }

    [Fact]
    public void TiedTable_SavedWhole_ChangesTheLookupAndNotTheHead()
    {
        LoraConfig config = new() { Rank = 2, TargetModules = ModuleSelector.OfNames("q_proj"), ModulesToSave = ["embed_tokens"] };
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(tied: true), 1);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        float[] table = model.Backbone.TokenTable!.Floats().ToArray();
        using AdaptedModel adapted = AdaptedModel.Attach(model, config, 1);
        AdapterTensor copy = adapted.Tensors.Single(tensor => tensor.Name == "base_model.model.model.embed_tokens.weight");
        Assert.Equal(table, copy.Value.Floats().ToArray());
        Tensor hidden = ones(1, 24);
        float[] head = model.Head.Logits(hidden).Floats().ToArray(), before = Logits(model);
        copy.Value.Floats().Fill(0.5f);
        Assert.Equal(head, model.Head.Logits(hidden).Floats().ToArray());
        Assert.NotEqual(before, Logits(model));
        Assert.Equal(table, model.Backbone.TokenTable!.Floats().ToArray());
        Assert.Contains("Untie", Assert.Throws<InvalidOperationException>(adapted.Merge).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TiedHead_SavedWhole_IsRefused()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(tied: true), 1);
        LoraConfig config = new() { TargetModules = ModuleSelector.OfNames("q_proj"), ModulesToSave = ["lm_head"] };
        Assert.Contains("lm_head", Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(model, config, 1)).Message, StringComparison.Ordinal);
    }

    private static float[] Logits(PretrainedModel model) => model.Logits(SequenceBatch.Packed(TinyLlama.Sequences(3, 2, 6))).Floats().ToArray();
}
