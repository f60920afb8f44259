using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Shared.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>An adapter gives the official code's logits, loss and gradients, merges into the same weights, and is written as it was read.</summary>
internal static class AdapterChecks
{
    internal static void Run(Golden golden)
    {
        using PretrainedModel model = PretrainedModel.Load(golden.Base);
        using AdaptedModel adapted = AdaptedModel.Load(model, golden.Folder);
        using DisposeScope scope = NewDisposeScope();
        TrainingBatch batch = golden.Batch();
        Forward(golden, model, batch, "logits", golden.Tolerance("logits"));
        ModelChecks.CheckLoss(golden, model, adapted.Trainable, batch, "loss");
        Assert.True(adapted.Export().ContentEquals(NamedTensors.FromFile(Path.Combine(golden.Folder, "adapter_model.safetensors"))), "the exported tensors are not those that were read");

        adapted.Merge();
        Forward(golden, model, batch, "merged.logits", golden.Tolerance("merged_logits"));
        foreach (string name in golden.Names.Where(name => name.StartsWith("merged.weight.", StringComparison.Ordinal)))
            Near.Equal(golden.Floats(name), model.Parameters.Single(p => p.Name == name["merged.weight.".Length..]).Value.Floats(), golden.Tolerance("merged_weight"), name);
    }

    private static void Forward(Golden golden, PretrainedModel model, TrainingBatch batch, string name, double tolerance)
    {
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats(name), model.Logits(batch.Input).Floats(), tolerance, name);
    }
}
