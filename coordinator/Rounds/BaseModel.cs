using System.Text.Json;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Rounds;

/// <summary>What the coordinator reads of a base model in Hugging Face layout: names, shapes and a few settings. It never runs the model.</summary>
internal sealed class BaseModel : IDisposable
{
    /// <summary>The head that sequence classifiers of the decoder families have: one linear layer without bias.</summary>
    public const string HeadName = "score";

    private const string WeightName = "weight";
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = SingleFile + ".index.json";
    private const double UsualInitialiserRange = 0.02;

    // GPT-2 stores these transposed, as (in, out).
    private static readonly string[] Transposed = ["c_attn", "c_proj", "c_fc"];

    // Tables that look like linear layers in a header: two dimensions, named weight.
    private static readonly string[] Embeddings =
        ["embed_tokens", "embed_in", "wte", "wpe", "word_embeddings", "position_embeddings", "token_type_embeddings"];

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, TensorInfo Info)> _parameters = new(StringComparer.Ordinal);
    private readonly JsonDocument _config;

    private BaseModel(string folder, JsonDocument config) => (Folder, _config) = (folder, config);

    /// <summary>Where it lies.</summary>
    public string Folder { get; }

    /// <summary>Names of all modules that have a parameter of their own, in ordinal order.</summary>
    public IEnumerable<string> Modules => _parameters.Keys.Select(name => Split(name).Module).Distinct().Order(StringComparer.Ordinal);

    /// <summary>Width of the vectors between layers.</summary>
    /// <exception cref="InvalidDataException">config.json does not say.</exception>
    public long HiddenSize => Setting("hidden_size") is { } size && size.TryGetInt32(out int hidden) && hidden > 0
        ? hidden
        : throw new InvalidDataException($"{Folder}/config.json has no positive hidden_size, which a new head '{HeadName}' needs.");

    /// <summary>Deviation of the normal that new weights are drawn from; Hugging Face's default where config.json does not say.</summary>
    /// <exception cref="InvalidDataException">It is negative or no number.</exception>
    public float InitialiserRange => Setting("initializer_range") is not { } range
        ? (float)UsualInitialiserRange
        : range.TryGetDouble(out double value) && value is >= 0 and <= 1
            ? (float)value
            : throw new InvalidDataException($"{Folder}/config.json: initializer_range is {range.GetRawText()}; a number from 0 to 1 was expected.");

    /// <summary>Opens the headers of a model folder: <c>config.json</c> with <c>model.safetensors</c> or its sharded form.</summary>
    /// <exception cref="InvalidDataException">The folder has no such model, or a parameter twice.</exception>
    public static BaseModel Open(string folder)
    {
        BaseModel model = new(folder, ReadJson(folder, "config.json"));
        try
        {
            foreach (string path in WeightFiles(folder))
                model.Add(SafetensorsFile.Open(path));
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Module and parameter of a tensor's name: what stands before and after the last dot.</summary>
    public static (string Module, string Parameter) Split(string name)
    {
        int dot = name.LastIndexOf('.');
        return dot < 0 ? ("", name) : (name[..dot], name[(dot + 1)..]);
    }

    /// <summary>What a module is, as far as its stored parameters show.</summary>
    public ModuleKind KindOf(string module) =>
        !_parameters.TryGetValue($"{module}.{WeightName}", out (SafetensorsFile File, TensorInfo Info) weight) || weight.Info.Shape.Count != 2 ? ModuleKind.Other
        : Embeddings.Contains(LastName(module), StringComparer.Ordinal) ? ModuleKind.Other
        : ModuleKind.Linear;

    /// <summary>Outputs and inputs of a linear module.</summary>
    public (long Outputs, long Inputs) LinearShape(string module)
    {
        IReadOnlyList<long> shape = _parameters[$"{module}.{WeightName}"].Info.Shape;
        bool transposed = Setting("model_type") is { ValueKind: JsonValueKind.String } type && type.GetString() == "gpt2"
            && Transposed.Contains(LastName(module), StringComparer.Ordinal);
        return transposed ? (shape[1], shape[0]) : (shape[0], shape[1]);
    }

    /// <summary>All parameters of the modules of a name, the modules inside them included.</summary>
    public IEnumerable<(SafetensorsFile File, TensorInfo Info)> ParametersOf(string name) =>
        from parameter in _parameters.OrderBy(p => p.Key, StringComparer.Ordinal)
        where $".{Split(parameter.Key).Module}.".Contains($".{name}.", StringComparison.Ordinal)
        select parameter.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        _config.Dispose();
        _files.ForEach(file => file.Dispose());
    }

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (TensorInfo tensor in file.Tensors)
        {
            if (!_parameters.TryAdd(tensor.Name, (file, tensor)))
                throw new InvalidDataException($"{Folder}: {Path.GetFileName(file.Path)} repeats a parameter of another file, '{tensor.Name}'.");
        }
    }

    private JsonElement? Setting(string name) =>
        _config.RootElement.ValueKind == JsonValueKind.Object && _config.RootElement.TryGetProperty(name, out JsonElement value)
        && value.ValueKind is JsonValueKind.Number or JsonValueKind.String
            ? value
            : null;

    private static string LastName(string module) => Split(module).Parameter;

    private static IEnumerable<string> WeightFiles(string folder)
    {
        if (!File.Exists(Path.Combine(folder, IndexFile)))
        {
            return File.Exists(Path.Combine(folder, SingleFile))
                ? [Path.Combine(folder, SingleFile)]
                : throw new InvalidDataException($"{folder} has neither {SingleFile} nor {IndexFile}; save the model in Hugging Face layout with safetensors.");
        }

        using JsonDocument index = ReadJson(folder, IndexFile);
        if (index.RootElement.ValueKind != JsonValueKind.Object || !index.RootElement.TryGetProperty("weight_map", out JsonElement map)
            || map.ValueKind != JsonValueKind.Object || map.EnumerateObject().Any(entry => entry.Value.ValueKind != JsonValueKind.String))
        {
            throw new InvalidDataException($"{folder}/{IndexFile} has no weight_map of names and files.");
        }

        string[] names = [.. map.EnumerateObject().Select(entry => entry.Value.GetString()!).Distinct().Order(StringComparer.Ordinal)];
        string? outside = names.FirstOrDefault(name => Path.GetFileName(name) != name);
        return outside is null
            ? names.Select(name => Path.Combine(folder, name))
            : throw new InvalidDataException($"{folder}/{IndexFile} names the file '{outside}'; files of the folder itself were expected.");
    }

    private static JsonDocument ReadJson(string folder, string name)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, name)));
        }
        catch (Exception e) when (e is JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDataException($"{folder}/{name} is missing or no JSON: {e.Message}", e);
        }
    }
}
