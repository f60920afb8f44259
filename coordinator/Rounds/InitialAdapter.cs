using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Rounds;

/// <summary>The adapter that the first round starts from: A uniform in ±1/sqrt(in), B zero, so that the model begins as the base model is.</summary>
/// <remarks>
/// Hu et al. 2021, section 4.1, with PEFT's Kaiming-uniform A (a = sqrt 5). Shapes come from the headers of the base model's files. Modules
/// that are trained whole start at the base model's values; a classification head that it lacks starts as Hugging Face makes one: normal,
/// of the deviation <c>initializer_range</c> that the model's config.json gives. Numbers are of the shared stream, one stream a tensor in
/// the order of the file written.
/// </remarks>
internal static class InitialAdapter
{
    private const int TileElements = 64 * 1024;

    /// <summary>Writes the adapter as a safetensors file, float32.</summary>
    /// <exception cref="InvalidDataException">The plan names a module that the base model lacks, or that cannot be adapted.</exception>
    public static void Write(Stream output, string modelFolder, RunDefinition run)
    {
        using BaseModel model = BaseModel.Open(modelFolder);
        Dictionary<string, Source> sources = new(StringComparer.Ordinal);
        foreach (Source source in Factors(model, run).Concat(WholeModules(model, run)))
            sources.Add(source.Info.Name, source);

        using SafetensorsWriter writer = new(output, sources.Values.Select(source => source.Info), SafetensorsWriter.PyTorchMetadata, leaveOpen: true);
        float[] buffer = new float[TileElements];
        for (int i = 0; i < writer.Tensors.Count; i++)
        {
            TensorInfo tensor = writer.Tensors[i];
            for (long first = 0; first < tensor.ElementCount; first += TileElements)
            {
                Span<float> tile = buffer.AsSpan(0, (int)Math.Min(TileElements, tensor.ElementCount - first));
                sources[tensor.Name].Fill(new(run.Seed, (uint)i, first), tile);
                writer.WriteTensor(tensor.Name, tile);
            }
        }

        writer.Complete();
    }

    private static IEnumerable<Source> Factors(BaseModel model, RunDefinition run)
    {
        LoraConfig config = new()
        {
            Rank = run.Adapter.Rank,
            Alpha = run.Adapter.Alpha,
            TargetModules = ModuleSelector.OfNames(run.Adapter.TargetModules),
            ModulesToSave = run.Adapter.ModulesToSave,
        };
        foreach (string name in run.Adapter.TargetModules)
        {
            if (!model.Modules.Any(ModuleSelector.OfNames(name).Matches))
                throw new InvalidDataException($"adapter.target_modules holds '{name}', but no linear layer of the base model in {model.Folder} has that name.");
        }

        foreach (LoraTarget target in Resolve(config, model))
        {
            (long outputs, long inputs) = model.LinearShape(target.Module.Name);
            float bound = 1 / MathF.Sqrt(inputs);
            yield return new(
                TensorInfo.Declare(PeftNames.LoraA(target.Module.Name), DType.F32, target.Rank, inputs), (at, values) => Uniform(at, bound, values));
            yield return new(
                TensorInfo.Declare(PeftNames.LoraB(target.Module.Name), DType.F32, outputs, target.Rank), static (_, values) => values.Clear());
        }
    }

    private static IReadOnlyList<LoraTarget> Resolve(LoraConfig config, BaseModel model)
    {
        try
        {
            return LoraTargets.Resolve(config, model.Modules.Select(module => new ModuleSite(module, model.KindOf(module))));
        }
        catch (PeftFormatException e)
        {
            throw new InvalidDataException($"adapter: {e.Message} The base model is in {model.Folder}.", e);
        }
    }

    private static IEnumerable<Source> WholeModules(BaseModel model, RunDefinition run)
    {
        foreach (string name in run.Adapter.ModulesToSave)
        {
            (SafetensorsFile File, TensorInfo Info)[] found = [.. model.ParametersOf(name)];
            foreach ((SafetensorsFile file, TensorInfo info) in found)
            {
                (string module, string parameter) = BaseModel.Split(info.Name);
                yield return new(
                    TensorInfo.Declare(PeftNames.Whole(module, parameter), DType.F32, info.Shape), (at, values) => file.ReadFloats(info, at.First, values));
            }

            if (found.Length == 0)
                yield return NewHead(model, name, run.Training.Labels.Count);
        }
    }

    private static Source NewHead(BaseModel model, string name, int labels)
    {
        if (name != BaseModel.HeadName || labels == 0)
        {
            throw new InvalidDataException(
                $"adapter.modules_to_save holds '{name}', which the base model in {model.Folder} lacks. Only the head '{BaseModel.HeadName}' of a sequence "
                + $"classifier is made new, with one output for each of training.labels ({labels} given).");
        }

        float deviation = model.InitialiserRange;
        return new(
            TensorInfo.Declare(PeftNames.Whole(name, "weight"), DType.F32, labels, model.HiddenSize), (at, values) => Normal(at, deviation, values));
    }

    private static void Uniform(Position at, float bound, Span<float> values)
    {
        SharedRandom.Fill(at.Seed, at.Stream, StreamKind.Uniform, (ulong)at.First, values);
        foreach (ref float value in values)
            value = ((2 * value) - 1) * bound;
    }

    private static void Normal(Position at, float deviation, Span<float> values)
    {
        SharedRandom.Fill(at.Seed, at.Stream, StreamKind.Gaussian, (ulong)at.First, values);
        foreach (ref float value in values)
            value *= deviation;
    }

    private delegate void Filler(Position at, Span<float> values);

    private readonly record struct Position(ulong Seed, uint Stream, long First);

    private sealed record Source(TensorInfo Info, Filler Fill);
}
