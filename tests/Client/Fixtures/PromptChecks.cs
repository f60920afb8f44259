using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Peft;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>What p-tuning trains in place of the rows it stores: a network, which gives those rows and gets the official code's gradients.</summary>
internal static class PromptChecks
{
    /// <summary>Whether the fixture holds such a network.</summary>
    internal static bool HasEncoder(Golden golden) => golden.Names.Any(name => name.StartsWith("prompt_encoder.", StringComparison.Ordinal));

    /// <summary>The loss alone: the stored rows have no golden gradient.</summary>
    internal static void CheckLoss(Golden golden, PretrainedModel model)
    {
        using IDisposable _ = no_grad();
        TrainingBatch batch = golden.Batch().For(model);
        CausalLanguageModelObjective objective = new();
        Near.Equal(golden.Floats("loss"), [objective.Sum(model, batch).item<float>() / objective.Terms(batch)], golden.Tolerance("loss"), "loss");
    }

    internal static void CheckEncoder(Golden golden, PretrainedModel model)
    {
        using DisposeScope scope = NewDisposeScope();
        AdapterFolder stored = AdapterFolder.Read(golden.Folder);
        using AdaptedModel adapted = AdaptedModel.Attach(model, stored.Config, seed: 1);
        foreach ((string name, Parameter value) in adapted.Trainable)
            golden.Floats(name).CopyTo(value.Floats());
        ModelChecks.CheckLoss(golden, model, adapted.Trainable, golden.Batch().For(model), "loss");
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats("logits"), model.Logits(golden.Batch().Input).Floats(), golden.Tolerance("logits"), "logits");
        string rows = Assert.Single(adapted.Export().Names);
        Near.Equal(stored.Tensors[rows], adapted.Export()[rows], golden.Tolerance("logits"), rows);
    }
}
