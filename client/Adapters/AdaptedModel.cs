using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>A model with a LoRA adapter on some of its linear layers, and with the modules that are trained whole beside it.</summary>
/// <remarks>
/// The adapter's tensors carry the names they have in PEFT's <c>adapter_model.safetensors</c>. Modules to save (a classification head,
/// usually) are the model's own parameters: importing and training changes them in place, and <see cref="Dispose"/>, which takes the
/// factors off the model, leaves them changed.
/// </remarks>
public sealed class AdaptedModel : IDisposable
{
    private readonly List<(Projection Target, IAdapter Adapter)> _adapters = [];

    private AdaptedModel(PretrainedModel model, LoraConfig config, IReadOnlyList<LoraTarget> targets)
    {
        (Model, Config) = (model, config);
        List<AdapterTensor> tensors = [];
        foreach (LoraTarget target in targets)
        {
            Projection layer = model.Projections[target.Module.Name];
            LoraAdapter adapter = new(layer.Inputs, layer.Outputs, target.Rank, target.Scaling, config.Dropout);
            _adapters.Add((layer, adapter));
            tensors.AddRange(adapter.Tensors.Select(tensor => tensor with { Name = PeftNames.Whole(target.Module.Name, tensor.Name) }));
        }

        tensors.AddRange(SavedWhole(model, config).Select(saved => new AdapterTensor(saved.Name, saved.Value, FederationClass.Exact)));
        Tensors = [.. tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
        Trainable = [.. Tensors.Select(tensor => (tensor.Name, tensor.Value))];
        foreach ((Projection layer, IAdapter adapter) in _adapters)
            layer.Adapter = adapter;
    }

    /// <summary>The model the adapter sits on. It is not disposed with the adapter.</summary>
    public PretrainedModel Model { get; }

    /// <summary>The adapter's configuration.</summary>
    public LoraConfig Config { get; }

    /// <summary>Everything that trains and travels, under its PEFT name, sorted by it.</summary>
    public IReadOnlyList<AdapterTensor> Tensors { get; }

    /// <summary><see cref="Tensors"/> as a trainer takes them.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Trainable { get; }

    /// <summary>Puts a fresh adapter on a model; its first output equals the model's unless the configuration says to start otherwise.</summary>
    /// <remarks>The same configuration, model and seed give bit-identical factors.</remarks>
    /// <exception cref="PeftFormatException">The configuration does not fit the model, or asks for what is not supported.</exception>
    /// <exception cref="InvalidOperationException">The model carries an adapter already.</exception>
    public static AdaptedModel Attach(PretrainedModel model, LoraConfig config, ulong seed)
    {
        AdaptedModel adapted = new(model, config, Targets(model, config));
        SplitMix64 random = new(seed);
        foreach ((_, IAdapter adapter) in adapted._adapters)
            ((LoraAdapter)adapter).Initialise(config.InitLoraWeights, random);
        return adapted;
    }

    /// <summary>Puts an adapter with given tensors on a model.</summary>
    /// <exception cref="PeftFormatException">The configuration does not fit the model, or the tensors do not fit the configuration.</exception>
    /// <exception cref="InvalidOperationException">The model carries an adapter already.</exception>
    public static AdaptedModel Attach(PretrainedModel model, LoraConfig config, NamedTensors tensors)
    {
        // Before memory is taken: a rank that came with a file may be anything.
        IReadOnlyList<LoraTarget> targets = Targets(model, config);
        RequireFit(model, Layout(model, config, targets), tensors);
        AdaptedModel adapted = new(model, config, targets);
        adapted.Fill(tensors);
        return adapted;
    }

    /// <summary>Reads a PEFT adapter folder and puts it on a model.</summary>
    /// <exception cref="PeftFormatException">The folder is no usable adapter, or not one for this model.</exception>
    /// <exception cref="TensorFormatException">The tensor file is damaged.</exception>
    /// <exception cref="InvalidOperationException">The model carries an adapter already.</exception>
    public static AdaptedModel Load(PretrainedModel model, string folder)
    {
        AdapterFolder stored = AdapterFolder.Read(folder);
        return Attach(model, stored.Config, stored.Tensors);
    }

    /// <summary>A copy of everything that trains.</summary>
    public NamedTensors Export()
    {
        NamedTensors copy = new();
        foreach (AdapterTensor tensor in Tensors)
            copy.Add(tensor.Name, tensor.Value.shape, tensor.Value.Floats().ToArray());
        return copy;
    }

    /// <summary>Overwrites everything that trains.</summary>
    /// <exception cref="PeftFormatException">Tensors are missing, surplus or of another shape; lists them all. Nothing was changed.</exception>
    public void Import(NamedTensors tensors)
    {
        RequireFit(Model, Tensors.Select(tensor => (tensor.Name, tensor.Value.shape)), tensors);
        Fill(tensors);
    }

    /// <summary>Writes a PEFT adapter folder.</summary>
    public void Save(string folder, DType dtype = DType.F32) => AdapterFolder.Write(folder, Config, Export(), dtype);

    /// <summary>Writes the adapter into the model's own weights, which then compute the same in evaluation, and takes it off.</summary>
    public void Merge()
    {
        using IDisposable _ = no_grad();
        foreach ((Projection target, IAdapter adapter) in _adapters)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor weight, Tensor? bias) = adapter.Merge(target.Matrix, target.Bias);
            target.Matrix.copy_(weight);
            if (bias is not null)
                target.Bias!.copy_(bias);
        }

        Dispose();
    }

    /// <summary>Takes the factors off the model and frees them.</summary>
    public void Dispose()
    {
        foreach ((Projection target, IAdapter adapter) in _adapters)
        {
            target.Adapter = null;
            adapter.Dispose();
        }

        _adapters.Clear();
    }

    private void Fill(NamedTensors tensors)
    {
        foreach (AdapterTensor tensor in Tensors)
            tensors[tensor.Name].CopyTo(tensor.Value.Floats());
    }

    private static IReadOnlyList<LoraTarget> Targets(PretrainedModel model, LoraConfig config)
    {
        if (model.Projections.Values.Any(layer => layer.Adapter is not null))
            throw new InvalidOperationException("The model carries an adapter already; dispose or merge that one first.");

        List<string> unsupported = [];
        if (config.UseDora)
            unsupported.Add("use_dora: DoRA");
        if (config.Bias != LoraBias.None)
            unsupported.Add($"bias: {config.Bias}");
        if (!LoraAdapter.Initialisers.Contains(config.InitLoraWeights))
            unsupported.Add($"init_lora_weights: '{config.InitLoraWeights}' changes the base weights");
        unsupported.AddRange(Sites(model).Where(site => site.Kind == ModuleKind.Embedding && LoraTargets.IsTarget(config, site)).Select(site => $"target_modules: '{site.Name}' is an embedding"));
        return unsupported.Count == 0
            ? LoraTargets.Resolve(config, Sites(model))
            : throw new PeftFormatException($"The adapter asks for what is not supported: {string.Join("; ", unsupported)}.");
    }

    /// <summary>Names and shapes of <see cref="Tensors"/>, in whatever order.</summary>
    private static IEnumerable<(string Name, long[] Shape)> Layout(PretrainedModel model, LoraConfig config, IReadOnlyList<LoraTarget> targets)
    {
        foreach (LoraTarget target in targets)
        {
            Projection layer = model.Projections[target.Module.Name];
            yield return (PeftNames.LoraA(target.Module.Name), [target.Rank, layer.Inputs]);
            yield return (PeftNames.LoraB(target.Module.Name), [layer.Outputs, target.Rank]);
        }

        foreach ((string name, Parameter value) in SavedWhole(model, config))
            yield return (name, value.shape);
    }

    private static IEnumerable<(string Name, Parameter Value)> SavedWhole(PretrainedModel model, LoraConfig config)
    {
        foreach ((string name, Parameter value) in model.Parameters)
        {
            int dot = name.LastIndexOf('.');
            if (config.IsSavedWhole(name[..dot]))
                yield return (PeftNames.Whole(name[..dot], name[(dot + 1)..]), value);
        }
    }

    private static void RequireFit(PretrainedModel model, IEnumerable<(string Name, long[] Shape)> wanted, NamedTensors tensors)
    {
        List<string> problems = [];
        HashSet<string> surplus = [.. tensors.Names];
        foreach ((string name, long[] shape) in wanted)
        {
            if (!surplus.Remove(name))
                problems.Add($"missing: {name} {TensorText.Shape(shape)}");
            else if (!tensors.Shape(name).SequenceEqual(shape))
                problems.Add($"wrong shape: {name} is {TensorText.Shape(tensors.Shape(name))}, the model needs {TensorText.Shape(shape)}");
        }

        problems.AddRange(tensors.Names.Where(surplus.Contains).Select(name => $"surplus: {TensorText.Quote(name)}"));
        if (problems.Count > 0)
            throw new PeftFormatException($"The adapter's tensors do not fit its configuration on this {model.Config.ClassName}:{Environment.NewLine}  {string.Join(Environment.NewLine + "  ", problems.Take(CheckpointException.Listed))}");
    }

    private static IEnumerable<ModuleSite> Sites(PretrainedModel model)
    {
        HashSet<string> heads = [.. model.Head.Modules.Select(module => module.Name)];
        foreach ((string name, nn.Module module) in model.named_modules())
        {
            ModuleKind kind = module switch
            {
                Projection { Layout: WeightLayout.Patches } => ModuleKind.Convolution,
                Projection => ModuleKind.Linear,
                TokenEmbedding => ModuleKind.Embedding,
                _ => ModuleKind.Other,
            };
            yield return new(name, kind, heads.Contains(name));
        }
    }
}
