using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Models;

/// <summary>Builds a model from a Hugging Face folder and fills its parameters, tensor by tensor, from the memory-mapped files.</summary>
internal static class CheckpointReader
{
    internal static PretrainedModel Load(string folder, ModelLoadOptions options)
    {
        ConfigReader reader = ConfigReader.Open(Path.Combine(folder, CheckpointFiles.ConfigFile));
        Architecture architecture = Architectures.Of(reader);
        ModelTask stored = StoredTask(reader, architecture);
        ModelConfig own = architecture.Read(reader, stored);
        reader.ThrowIfRejected();
        ModelConfig config = own with { Task = options.Task ?? stored, Labels = options.Labels ?? own.Labels };
        bool newHead = config.Task != stored || (config.IsClassifier && config.Labels.Count != own.Labels.Count);

        using CheckpointFiles files = CheckpointFiles.Open(folder);
        if (config.BackboneParameters > files.ElementCount)
            throw new CheckpointException($"{folder}: config.json describes a model of at least {config.BackboneParameters} numbers, but the tensor files hold {files.ElementCount}. They do not belong together.");

        PretrainedModel model = architecture.Build(config);
        try
        {
            HashSet<string> head = newHead ? [.. model.Head.Modules.SelectMany(module => module.Module.named_parameters().Select(p => $"{module.Name}.{p.name}"))] : [];
            Fill(model.Parameters.Where(parameter => !head.Contains(parameter.Name)), files, architecture, newHead);
            model.Initialise(model.Parameters.Where(parameter => head.Contains(parameter.Name)), options.HeadSeed);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static ModelTask StoredTask(ConfigReader reader, Architecture architecture)
    {
        IReadOnlyList<string> classes = reader.Texts("architectures");
        if (classes.Count == 1 && architecture.Classes.TryGetValue(classes[0], out ModelTask task))
            return task;
        reader.Reject("architectures", $"expected one of {string.Join(", ", architecture.Classes.Keys)} in an array, got [{string.Join(", ", classes)}]");
        return ModelTask.CausalLanguageModel;
    }

    private static void Fill(IEnumerable<(string Name, Parameter Value)> parameters, CheckpointFiles files, Architecture architecture, bool newHead)
    {
        List<(Parameter Parameter, SafetensorsFile File, TensorInfo Info)> copies = [];
        List<string> problems = [];
        HashSet<string> surplus = [.. files.Tensors.Keys];
        foreach ((string name, Parameter parameter) in parameters)
        {
            surplus.Remove(name);
            if (!files.Tensors.TryGetValue(name, out (SafetensorsFile File, TensorInfo Info) stored))
                problems.Add($"missing: {name} {TensorText.Shape(parameter.shape)}");
            else if (!stored.Info.Shape.SequenceEqual(parameter.shape))
                problems.Add($"wrong shape: {name} is {TensorText.Shape(stored.Info.Shape)}, config.json asks for {TensorText.Shape(parameter.shape)}");
            else if (!stored.Info.DType.IsFloat())
                problems.Add($"wrong type: {name} is {stored.Info.DType.SafetensorsName()}, expected a floating-point type (quantised checkpoints are not read)");
            else
                copies.Add((parameter, stored.File, stored.Info));
        }

        problems.AddRange(surplus.Where(name => !MayBeIgnored(name, architecture, newHead)).Order(StringComparer.Ordinal).Select(name => $"surplus: {TensorText.Quote(name)}"));
        if (problems.Count > 0)
            throw CheckpointException.Of(files.Folder, "the tensors are not those of the model that config.json describes:", problems);
        copies.ForEach(copy => copy.Parameter.VisitSlices((first, values) => copy.File.ReadFloats(copy.Info, first, values)));
    }

    // A tied head may be stored beside the table it equals (a head of its own is never surplus), and the head of another task stays behind when
    // a new one is asked for.
    private static bool MayBeIgnored(string name, Architecture architecture, bool newHead) =>
        architecture.Buffers.Any(buffer => name.EndsWith(buffer, StringComparison.Ordinal))
        || name == "lm_head.weight"
        || (newHead && architecture.Heads.Any(head => name.StartsWith(head + ".", StringComparison.Ordinal)));
}
