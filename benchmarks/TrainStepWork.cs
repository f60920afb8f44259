using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;

namespace Federated.Benchmarks;

/// <summary>The model, adapter and batches that both sides of <c>train-step</c> read.</summary>
internal static class TrainStepWork
{
    private const int Rows = 8, Shortest = 32, Batches = 8;
    private const string Pixels = "pixels";

    /// <summary>Writes model, adapter and batches into a folder.</summary>
    internal static void Write(string folder, TrainStepArchitecture architecture)
    {
        using PretrainedModel model = PretrainedModel.Create(architecture.Model, seed: 1);
        model.Save(Path.Combine(folder, "model"));
        LoraConfig lora = new() { Rank = 8, Alpha = 16, TargetModules = ModuleSelector.OfNames(architecture.Targets) };
        using AdaptedModel adapted = AdaptedModel.Attach(model, lora, seed: 2);
        adapted.Save(Path.Combine(folder, "adapter"));
        foreach (string name in architecture.Cases)
        {
            if (architecture.Images is { } image)
                Draw(image).Save(Path.Combine(folder, name + ".safetensors"));
            else
                File.WriteAllText(Path.Combine(folder, name + ".json"), JsonSerializer.Serialize(Draw(name, model.TextConfig.VocabularySize)));
        }
    }

    /// <summary>The batches of a case. A row's class is its number in the batch.</summary>
    internal static TrainingBatch[] Read(string folder, string name, PretrainedModel model)
    {
        if (model.Config is not TextModelConfig)
            return ReadImages(Path.Combine(folder, name + ".safetensors"));
        int[][][] batches = JsonSerializer.Deserialize<int[][][]>(File.ReadAllBytes(Path.Combine(folder, name + ".json")))!;
        return [.. batches.Select(batch => Batch([.. batch.Select(row => (ReadOnlyMemory<int>)row)], model.Config.IsClassifier))];
    }

    private static TrainingBatch Batch(IReadOnlyList<ReadOnlyMemory<int>> rows, bool classified) =>
        classified ? TrainingBatch.ForClassification(rows, [.. Enumerable.Range(0, rows.Count)]) : TrainingBatch.ForLanguageModel(rows);

    private static TrainingBatch[] ReadImages(string path)
    {
        NamedTensors stored = NamedTensors.FromFile(path);
        int[] shape = [.. stored.Shape(Pixels).Select(size => (int)size)];
        return [.. stored[Pixels].Chunk(stored[Pixels].Length / shape[0]).Select(pixels => new TrainingBatch(new ImageBatch(pixels, shape[1], shape[2], shape[3], shape[4]))
        {
            ClassLabels = [.. Enumerable.Range(0, shape[1]).Select(row => (long)row)],
        })];
    }

    private static NamedTensors Draw(ImageSize image)
    {
        Random random = new(3);
        NamedTensors tensors = new();
        float[] pixels = [.. Enumerable.Range(0, Batches * Rows * image.Channels * image.Height * image.Width).Select(_ => (2 * random.NextSingle()) - 1)];
        tensors.Add(Pixels, [Batches, Rows, image.Channels, image.Height, image.Width], pixels);
        return tensors;
    }

    // The id 0 is padding.
    private static int[][][] Draw(string name, int vocabulary)
    {
        Random random = new(3);
        int Length() => name == "dense" ? TrainStepArchitecture.Longest : random.Next(Shortest, TrainStepArchitecture.Longest + 1);
        int[] Row() => [.. Enumerable.Range(0, Length()).Select(_ => random.Next(1, vocabulary))];
        return [.. Enumerable.Range(0, Batches).Select(_ => Enumerable.Range(0, Rows).Select(_ => Row()).ToArray())];
    }
}
