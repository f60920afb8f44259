using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Shared.Peft;

namespace Federated.Benchmarks;

/// <summary>The model, adapter and batches that both sides of <c>train-step</c> read.</summary>
internal static class TrainStepWork
{
    private const int Rows = 8, Longest = 128, Shortest = 32, Batches = 8;

    /// <summary>Rows of unequal length, as text has them, and rows of one length.</summary>
    internal static readonly string[] Cases = ["ragged", "dense"];

    internal static LlamaConfig Model { get; } = new()
    {
        Task = ModelTask.CausalLanguageModel,
        VocabularySize = 8192,
        HiddenSize = 256,
        MaxPositions = Longest,
        Layers = 4,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 64,
        IntermediateSize = 688,
        NormEpsilon = 1e-5,
        InitializerRange = 0.02,
        Labels = [],
    };

    /// <summary>Writes model, adapter and batches into a folder.</summary>
    internal static void Write(string folder)
    {
        using PretrainedModel model = PretrainedModel.Create(Model, seed: 1);
        model.Save(Path.Combine(folder, "model"));
        LoraConfig lora = new() { Rank = 8, Alpha = 16, TargetModules = ModuleSelector.OfNames(["q_proj", "v_proj"]) };
        using AdaptedModel adapted = AdaptedModel.Attach(model, lora, seed: 2);
        adapted.Save(Path.Combine(folder, "adapter"));
        foreach (string name in Cases)
            File.WriteAllText(Path.Combine(folder, name + ".json"), JsonSerializer.Serialize(Draw(name)));
    }

    /// <summary>The batches of a case: token ids by batch and row.</summary>
    internal static int[][][] Read(string folder, string name) => JsonSerializer.Deserialize<int[][][]>(File.ReadAllBytes(Path.Combine(folder, name + ".json")))!;

    private static int[][][] Draw(string name)
    {
        Random random = new(3);
        int[] Row() => [.. Enumerable.Range(0, name == "dense" ? Longest : random.Next(Shortest, Longest + 1)).Select(_ => random.Next(Model.VocabularySize))];
        return [.. Enumerable.Range(0, Batches).Select(_ => Enumerable.Range(0, Rows).Select(_ => Row()).ToArray())];
    }
}
