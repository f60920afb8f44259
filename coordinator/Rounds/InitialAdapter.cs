using System.Text.Json;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Rounds;

/// <summary>The adapter that the first round starts from: A uniform in ±1/sqrt(in), B zero, so that the model begins as the base model is.</summary>
/// <remarks>
/// Hu et al. 2021, section 4.1, with PEFT's Kaiming-uniform A (a = sqrt 5). Shapes come from the headers of the base model's
/// files; modules that are trained whole start at the base model's values, or, when it has none (a head on a language
/// model), at a normal of deviation 0.02. Numbers are of the shared stream, one stream a tensor in ordinal order.
/// </remarks>
internal static class InitialAdapter
{
    private const string Prefix = "base_model.model.";
    private const float HeadDeviation = 0.02f;

    /// <summary>Writes the adapter as a safetensors file.</summary>
    /// <exception cref="InvalidDataException">A target is not in the base model.</exception>
    public static void Write(Stream output, string modelFolder, RunDefinition run)
    {
        List<SafetensorsFile> files = [];
        try
        {
            foreach (string path in Directory.GetFiles(modelFolder, "*.safetensors").Order(StringComparer.Ordinal))
                files.Add(SafetensorsFile.Open(path));

            Source[] sources = [.. Plan(files, modelFolder, run).OrderBy(source => source.Info.Name, StringComparer.Ordinal)];
            using SafetensorsWriter writer = new(output, sources.Select(source => source.Info), SafetensorsWriter.PyTorchMetadata, leaveOpen: true);
            Dictionary<string, (Source Source, uint Stream)> byName = sources.Select((source, i) => (source, (uint)i)).ToDictionary(s => s.source.Info.Name, s => (s.source, s.Item2), StringComparer.Ordinal);
            foreach (TensorInfo tensor in writer.Tensors)
            {
                float[] values = new float[tensor.ElementCount];
                byName[tensor.Name].Source.Fill(run.Seed, byName[tensor.Name].Stream, values);
                writer.WriteTensor(tensor.Name, values);
            }
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    private static IEnumerable<Source> Plan(List<SafetensorsFile> files, string folder, RunDefinition run)
    {
        foreach (string target in run.Adapter.TargetModules)
        {
            (SafetensorsFile File, TensorInfo Info)[] weights = [.. Find(files, target).Where(w => w.Info.Name.EndsWith(".weight", StringComparison.Ordinal) && w.Info.Shape.Count == 2)];
            if (weights.Length == 0)
                throw new InvalidDataException($"adapter.target_modules holds '{target}', but no linear layer of the base model in {folder} has that name.");
            foreach ((_, TensorInfo weight) in weights)
            {
                string module = Prefix + weight.Name[..^".weight".Length];
                long inputs = weight.Shape[1];
                float bound = 1 / MathF.Sqrt(inputs);
                yield return new(TensorInfo.Declare(module + ".lora_A.weight", DType.F32, run.Adapter.Rank, inputs), (seed, stream, values) => Uniform(seed, stream, bound, values));
                yield return new(TensorInfo.Declare(module + ".lora_B.weight", DType.F32, weight.Shape[0], run.Adapter.Rank), (_, _, values) => values.AsSpan().Clear());
            }
        }

        foreach (string whole in run.Adapter.ModulesToSave)
        {
            (SafetensorsFile File, TensorInfo Info)[] found = [.. Find(files, whole)];
            foreach ((SafetensorsFile file, TensorInfo info) in found)
                yield return new(TensorInfo.Declare(Prefix + info.Name, DType.F32, info.Shape), (_, _, values) => file.ReadFloats(info, values));
            if (found.Length == 0)
                yield return new(TensorInfo.Declare($"{Prefix}{whole}.weight", DType.F32, run.Training.Labels.Count, HiddenSize(folder)), Head);
        }
    }

    private static IEnumerable<(SafetensorsFile File, TensorInfo Info)> Find(List<SafetensorsFile> files, string module) =>
        from file in files
        from info in file.Tensors
        let owner = info.Name[..Math.Max(0, info.Name.LastIndexOf('.'))]
        where owner == module || owner.EndsWith("." + module, StringComparison.Ordinal)
        select (file, info);

    private static long HiddenSize(string folder)
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        return config.RootElement.TryGetProperty("hidden_size", out JsonElement size) && size.TryGetInt64(out long hidden)
            ? hidden
            : throw new InvalidDataException($"{folder}/config.json has no hidden_size, which a new head needs.");
    }

    private static void Uniform(ulong seed, uint stream, float bound, float[] values)
    {
        SharedRandom.Fill(seed, stream, StreamKind.Uniform, 0, values);
        for (int i = 0; i < values.Length; i++)
            values[i] = ((2 * values[i]) - 1) * bound;
    }

    private static void Head(ulong seed, uint stream, float[] values)
    {
        SharedRandom.Fill(seed, stream, StreamKind.Gaussian, 0, values);
        for (int i = 0; i < values.Length; i++)
            values[i] *= HeadDeviation;
    }

    private sealed record Source(TensorInfo Info, Action<ulong, uint, float[]> Fill);
}
