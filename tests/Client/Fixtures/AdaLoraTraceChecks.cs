using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>Training of AdaLoRA follows the official code: losses, budgets, which ranks are kept when, scores, final weights, and the pruned file.</summary>
internal static class AdaLoraTraceChecks
{
    internal static void Run(Golden golden)
    {
        AdapterFolder final = AdapterFolder.Read(golden.Folder);
        AdaLoraConfig config = (AdaLoraConfig)final.Config;
        using PretrainedModel model = PretrainedModel.Load(golden.Base);
        using (AdaptedModel adapted = AdaptedModel.Attach(model, config with { RankPattern = null }, 0))
        {
            adapted.Import(TraceChecks.Values(golden, "init.", adapted));
            Follow(golden, config, adapted);
            CheckLogits(golden, model);
            CheckPruned(golden, final, adapted);
        }

        using AdaptedModel pruned = AdaptedModel.Attach(model, config, final.Tensors);
        CheckLogits(golden, model);
        Assert.True(pruned.Export().ContentEquals(final.Tensors), "the exported tensors are not those that were read");
    }

    private static void Follow(Golden golden, AdaLoraConfig config, AdaptedModel adapted)
    {
        AdaLoraTraining ranks = (AdaLoraTraining)adapted.Training!;
        LocalTrainer trainer = new(adapted, new CausalLanguageModelObjective(), TraceChecks.Options(golden));
        float[] losses = new float[golden.Floats("losses").Length];
        long[] budgets = new long[losses.Length], kept = new long[losses.Length];
        for (int step = 0; step < losses.Length; step++)
        {
            losses[step] = (float)trainer.Step([golden.Step(step)]).Loss;
            budgets[step] = ranks.Budget(step);
            kept[step] = adapted.Trainable.Where(tensor => tensor.Name.EndsWith("lora_E", StringComparison.Ordinal)).Sum(tensor => (long)Count(tensor.Value));
            if (step == config.TotalSteps - config.FinalSteps - 1)
                CheckScores(golden, ranks.State());
        }

        Near.Equal(golden.Floats("losses"), losses, golden.TraceTolerance("losses"), "losses");
        Assert.Equal(golden.Longs("budgets"), budgets);
        Assert.Equal(golden.Longs("kept"), kept);
        TraceChecks.CheckWeights(golden, "final.", adapted, golden.TraceTolerance("final"));
    }

    private static void CheckScores(Golden golden, NamedTensors state)
    {
        string[] scores = [.. golden.Names.Where(name => name.StartsWith("scores.", StringComparison.Ordinal))];
        Assert.NotEmpty(scores);
        foreach (string name in scores)
            Near.Equal(golden.Floats(name), state[name["scores.".Length..]], golden.Tolerance("grad_abs"), name, golden.Tolerance("grad_rel"));
    }

    private static void CheckPruned(Golden golden, AdapterFolder final, AdaptedModel adapted)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("adapter");
        try
        {
            adapted.Save(folder.FullName);
            AdapterFolder saved = AdapterFolder.Read(folder.FullName);
            Assert.Equal(((AdaLoraConfig)final.Config).RankPattern, ((AdaLoraConfig)saved.Config).RankPattern);
            Assert.Equal(final.Tensors.Names.Order(StringComparer.Ordinal), saved.Tensors.Names.Order(StringComparer.Ordinal));
            foreach (string name in final.Tensors.Names)
            {
                Assert.Equal(final.Tensors.Shape(name), saved.Tensors.Shape(name));
                Near.Equal(final.Tensors[name], saved.Tensors[name], golden.TraceTolerance("final"), name);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void CheckLogits(Golden golden, PretrainedModel model)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats("final.logits"), model.Logits(golden.Batch().Input).Floats(), golden.TraceTolerance("final"), "final.logits");
    }

    private static int Count(Parameter values)
    {
        int count = 0;
        foreach (float value in values.Floats())
            count += value != 0 ? 1 : 0;
        return count;
    }
}
