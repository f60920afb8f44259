using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;

namespace Federated.Client.Models;

/// <summary>A checkpoint that was opened but not read.</summary>
/// <param name="Model">The model, its numbers whatever the memory holds.</param>
/// <param name="Files">The open files.</param>
/// <param name="Stored">The stored tensor of each parameter that has one; the others are <see cref="PretrainedModel.NewParameters"/>.</param>
internal sealed record CheckpointOutline(PretrainedModel Model, CheckpointFiles Files, IReadOnlyDictionary<string, StoredTensor> Stored);

/// <summary>Builds a model from a Hugging Face folder and fills its parameters tensor by tensor.</summary>
/// <remarks>
/// Numbers go from the file straight into the parameter's memory, a piece that fits the processor's cache at a time, and are widened and
/// checked there: no second copy of a tensor exists at any time, and no page of a mapped file counts as this process's.
/// </remarks>
internal static class CheckpointReader
{
    // Numbers read, widened and scanned before the next: 1 MiB, which stays in cache between the three.
    private const int Piece = 1 << 18;

    // A new head may be as large as the checkpoint is, or this many numbers where that is small.
    private const long SmallHead = 1 << 24;

    internal static PretrainedModel Load(string folder, ModelLoadOptions options)
    {
        CheckpointOutline outline = Outline(folder, options);
        using CheckpointFiles files = outline.Files;
        PretrainedModel model = outline.Model;
        try
        {
            ReadAll([.. model.Parameters.Where(parameter => outline.Stored.ContainsKey(parameter.Name)).Select(parameter => (outline.Stored[parameter.Name], parameter.Value))], folder, options.RequireFinite);
            model.Initialise(model.Parameters.Where(parameter => model.NewParameters.Contains(parameter.Name)), options.HeadSeed);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Everything about a checkpoint but its numbers, from its configuration and the headers of its files. What it asks the system for is address space, not memory.</summary>
    internal static CheckpointOutline Outline(string folder, ModelLoadOptions options)
    {
        (Architecture architecture, ModelConfig config, bool newHead) = ReadConfig(folder, options);
        CheckpointFiles files = CheckpointFiles.Open(folder);
        PretrainedModel? model = null;
        try
        {
            RequireRoom(files, config, newHead);
            model = architecture.Build(config);
            model.NewParameters = newHead ? NewParameters(model, architecture, files) : [];
            return new(model, files, Match(model.Parameters.Where(parameter => !model.NewParameters.Contains(parameter.Name)), files, architecture, newHead));
        }
        catch
        {
            model?.Dispose();
            files.Dispose();
            throw;
        }
    }

    /// <summary>The configuration of a folder's checkpoint, and whether it has a head; one without is described under the first head that its architecture may have.</summary>
    internal static (ModelConfig Config, bool HasHead) Describe(string folder)
    {
        ConfigReader reader = ConfigReader.Open(CheckpointFolder.Require(folder, CheckpointFiles.ConfigFile));
        Architecture architecture = Architectures.Of(reader);
        ModelTask? stored = StoredTask(reader, architecture);
        ModelConfig config = architecture.Read(reader, stored ?? architecture.Classes.Values.First());
        reader.ThrowIfRejected();
        return (config, stored is not null);
    }

    /// <summary>The parameters of a new head, and of the head's parts in the backbone that the checkpoint lacks.</summary>
    private static HashSet<string> NewParameters(PretrainedModel model, Architecture architecture, CheckpointFiles files)
    {
        TensorNames names = new(architecture, model.Parameters.Select(parameter => parameter.Name).ToHashSet(StringComparer.Ordinal));
        HashSet<string> stored = [.. files.Tensors.Keys.Select(names.ParameterOf).OfType<string>()];
        return
        [
            .. model.Head.Modules.SelectMany(module => module.Module.named_parameters().Select(p => $"{module.Name}.{p.name}")),
            .. model.Parameters.Select(parameter => parameter.Name).Where(name =>
                !stored.Contains(name) && architecture.HeadParts.Any(part => name.StartsWith(part + ".", StringComparison.Ordinal))),
        ];
    }

    private static (Architecture Architecture, ModelConfig Config, bool NewHead) ReadConfig(string folder, ModelLoadOptions options)
    {
        ConfigReader reader = ConfigReader.Open(CheckpointFolder.Require(folder, CheckpointFiles.ConfigFile));
        Architecture architecture = Architectures.Of(reader);
        ModelTask? stored = StoredTask(reader, architecture);
        if ((options.Task ?? stored) is not { } task)
            throw new CheckpointException($"{reader.Source}: a {architecture.BareClass} has no head; load it for a task, which gives it a new one.");
        if (!architecture.Classes.Values.Contains(task))
            throw new CheckpointException($"{reader.Source}: a {architecture.ModelType} has no head for {task}; known: {string.Join(", ", architecture.Classes.Values)}.");

        ModelConfig own = architecture.Read(reader, stored ?? task);
        reader.ThrowIfRejected();
        ModelConfig config = own with { Task = task, Labels = options.Labels ?? own.Labels };
        return (architecture, config, config.Task != stored || (config.IsClassifier && config.Labels.Count != own.Labels.Count));
    }

    private static ModelTask? StoredTask(ConfigReader reader, Architecture architecture)
    {
        IReadOnlyList<string> classes = reader.Texts("architectures");
        if (classes.Count == 0 && architecture.OnlyTask is { } only)
            return only;
        if (classes.Count == 1 && architecture.Classes.TryGetValue(classes[0], out ModelTask task))
            return task;
        if (classes.Count == 1 && classes[0] == architecture.BareClass)
            return null;
        IEnumerable<string> known = [.. architecture.Classes.Keys, architecture.BareClass];
        reader.Reject("architectures", $"expected one of {string.Join(", ", known)} in an array, as model_type is '{architecture.ModelType}', got [{TensorText.Printable(string.Join(", ", classes), 200)}]");
        return architecture.Classes.Values.First();
    }

    /// <summary>Holds what the configuration asks for against what the files hold, before memory is taken for it.</summary>
    private static void RequireRoom(CheckpointFiles files, ModelConfig config, bool newHead)
    {
        Int128 head = config.IsClassifier ? (Int128)config.Labels.Count * config.HiddenSize : 0;
        Int128 stored = config.BackboneParameters + (newHead ? 0 : head);
        if (stored > files.ElementCount)
        {
            throw new CheckpointException(
                $"{files.Folder}: {CheckpointFiles.ConfigFile} describes a model of at least {stored} numbers, but the tensor files hold {files.ElementCount}. They do not belong together.");
        }

        if (newHead && head > Math.Max(files.ElementCount, SmallHead))
        {
            throw new CheckpointException(
                $"{files.Folder}: a head for {config.Labels.Count} labels would hold {head} numbers, more than the whole checkpoint's {files.ElementCount}. Ask for fewer labels.");
        }
    }

    /// <summary>The stored tensor of each parameter.</summary>
    private static Dictionary<string, StoredTensor> Match(IEnumerable<(string Name, Parameter Value)> parameters, CheckpointFiles files, Architecture architecture, bool newHead)
    {
        Dictionary<string, Parameter> wanted = parameters.ToDictionary(StringComparer.Ordinal);
        TensorNames names = new(architecture, wanted.Keys.ToHashSet(StringComparer.Ordinal));
        Dictionary<string, StoredTensor> found = new(StringComparer.Ordinal);
        List<string> problems = [];
        foreach (StoredTensor tensor in files.Tensors.Values)
        {
            if (names.ParameterOf(tensor.Info.Name) is { } name)
            {
                if (!found.TryAdd(name, tensor))
                    problems.Add($"twice: {TensorText.Quote(found[name].Info.Name)} and {TensorText.Quote(tensor.Info.Name)} are both {name}");
            }
            else if (!names.MayBeIgnored(tensor.Info.Name, newHead))
            {
                problems.Add($"surplus: {TensorText.Quote(tensor.Info.Name)} {TensorText.Shape(tensor.Info.Shape)}");
            }
        }

        problems.AddRange(wanted.Select(entry => Misfit(entry.Key, entry.Value.shape, found.GetValueOrDefault(entry.Key))).OfType<string>());
        if (problems.Count > 0)
            throw CheckpointException.Of(files.Folder, $"the tensors are not those of the model that {CheckpointFiles.ConfigFile} describes:", [.. problems.Order(StringComparer.Ordinal)]);
        return found;
    }

    private static string? Misfit(string name, long[] shape, StoredTensor? stored)
    {
        if (stored is null)
            return $"missing: {name} {TensorText.Shape(shape)}";
        if (!stored.Info.Shape.SequenceEqual(shape))
            return $"wrong shape: {name} is {TensorText.Shape(stored.Info.Shape)}, {CheckpointFiles.ConfigFile} asks for {TensorText.Shape(shape)}";
        return stored.Info.DType.IsFloat()
            ? null
            : $"wrong type: {name} is {stored.Info.DType.SafetensorsName()}, expected a floating-point type (quantised checkpoints are not read)";
    }

    private static void ReadAll((StoredTensor Stored, Parameter Parameter)[] tensors, string folder, bool requireFinite)
    {
        string?[] problems = new string?[tensors.Length];
        Parallel.For(0, tensors.Length, new ParallelOptions { MaxDegreeOfParallelism = torch.get_num_threads() }, i =>
        {
            Read(tensors[i].Stored, tensors[i].Parameter, requireFinite, out problems[i]);
        });
        if (problems.OfType<string>().ToArray() is { Length: > 0 } found)
            throw CheckpointException.Of(folder, "every weight must be a finite number; the files are damaged, or training them went astray:", found);
    }

    private static void Read(StoredTensor stored, Parameter parameter, bool requireFinite, out string? problem)
    {
        string? found = null;
        parameter.VisitSlices((first, values) =>
        {
            for (int start = 0; start < values.Length && found is null; start += Piece)
            {
                Span<float> piece = values.Slice(start, Math.Min(Piece, values.Length - start));
                stored.File.ReadFloats(stored.Info, first + start, piece);
                if (requireFinite && TensorScan.IndexOfNonFinite(piece) is var bad and >= 0)
                    found = NotFinite(stored, parameter.shape, first + start + bad, piece[bad]);
            }
        });
        problem = found;
    }

    private static string NotFinite(StoredTensor stored, long[] shape, long index, float value)
    {
        long[] place = new long[shape.Length];
        for (int axis = shape.Length - 1; axis >= 0; axis--)
            (index, place[axis]) = Math.DivRem(index, shape[axis]);
        return FormattableString.Invariant($"tensor {TensorText.Quote(stored.Info.Name)} in '{Path.GetFileName(stored.File.Path)}' holds {value} at {TensorText.Shape(place)}");
    }
}
