using System.Text.Json.Nodes;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>An adapter gives the official code's logits, loss and gradients, merges into the same weights, and is written as it was read.</summary>
internal static class AdapterChecks
{
    internal static void Run(Golden golden)
    {
        using PretrainedModel model = PretrainedModel.Load(golden.Base);
        Dictionary<string, float[]> before = model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.Floats().ToArray());
        using (AdaptedModel adapted = AdaptedModel.Load(model, golden.Folder))
        {
            using DisposeScope scope = NewDisposeScope();
            Forward(golden, model, "logits", golden.Tolerance("logits"));
            if (PromptChecks.HasEncoder(golden))
                PromptChecks.CheckLoss(golden, model);
            else
                ModelChecks.CheckLoss(golden, model, Trained(golden, adapted), golden.Batch().For(model), "loss", adapted.Training is { } training ? training.Penalty : null);
            if (golden.Has("loss_ce"))
                Near.Equal([golden.Floats("loss")[0] - golden.Floats("loss_ce")[0]], [adapted.Training!.Penalty()!.item<float>()], golden.Tolerance("loss"), "what is added to loss_ce");
            CheckFiles(golden, adapted);
        }

        if (PromptChecks.HasEncoder(golden))
            PromptChecks.CheckEncoder(golden, model);

        Assert.All(model.Parameters, parameter => Assert.True(before[parameter.Name].AsSpan().SequenceEqual(parameter.Value.Floats()), $"{parameter.Name} is not what it was before the adapter came"));
        CheckMerge(golden, model);
    }

    private static void CheckMerge(Golden golden, PretrainedModel model)
    {
        using DisposeScope scope = NewDisposeScope();
        using AdaptedModel adapted = AdaptedModel.Load(model, golden.Folder);
        if (!golden.Has("merged.logits"))
        {
            Assert.Throws<InvalidOperationException>(adapted.Merge);
            return;
        }

        adapted.Merge();
        Forward(golden, model, "merged.logits", golden.Tolerance("merged_logits"));
        foreach (string name in golden.Names.Where(name => name.StartsWith("merged.weight.", StringComparison.Ordinal)))
            Near.Equal(golden.Floats(name), model.Parameters.Single(p => p.Name == name["merged.weight.".Length..]).Value.Floats(), golden.Tolerance("merged_weight"), name);
    }

    /// <summary>Tensors bit by bit, settings field by field.</summary>
    private static void CheckFiles(Golden golden, AdaptedModel adapted)
    {
        DirectoryInfo copy = Directory.CreateTempSubdirectory("adapter");
        try
        {
            adapted.Save(copy.FullName);
            NamedTensors[] tensors = [.. new[] { golden.Folder, copy.FullName }.Select(folder => NamedTensors.FromFile(Path.Combine(folder, AdapterFolder.WeightsFile)))];
            Assert.True(tensors[0].ContentEquals(tensors[1]), "the exported tensors are not those that were read");
            string[] settings = [.. new[] { golden.Folder, copy.FullName }.Select(folder => File.ReadAllText(Path.Combine(folder, AdapterFolder.ConfigFile)))];
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(settings[0]), JsonNode.Parse(settings[1])), $"the exported settings are not those that were read: {settings[1]}");
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    /// <summary>What trains, the second names included that PEFT gives to biases of modules saved whole.</summary>
    private static IReadOnlyList<(string Name, Parameter Value)> Trained(Golden golden, AdaptedModel adapted)
    {
        const string Gradient = "grad.", Copy = ".modules_to_save.";
        Dictionary<string, Parameter> trained = adapted.Trainable.ToDictionary(StringComparer.Ordinal);
        string[] copies = [.. golden.Names.Where(name => name.StartsWith(Gradient, StringComparison.Ordinal) && name.Contains(Copy, StringComparison.Ordinal)).Select(name => name[Gradient.Length..])];
        return [.. adapted.Trainable, .. copies.Select(name => (name, trained[name.Replace(Copy, ".", StringComparison.Ordinal)]))];
    }

    private static void Forward(Golden golden, PretrainedModel model, string name, double tolerance)
    {
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats(name), model.Logits(golden.Batch().Input).Floats(), tolerance, name);
    }
}
