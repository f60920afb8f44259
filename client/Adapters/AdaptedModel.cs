using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>A model with an adapter on some of its layers or before its input, and with the modules that are trained whole beside it.</summary>
/// <remarks>
/// The adapter's tensors carry the names they have in PEFT's <c>adapter_model.safetensors</c>. Modules to save (a classification head,
/// usually) are the model's own parameters: importing and training changes them in place, and <see cref="Dispose"/>, which takes the
/// adapter off the model, brings their old values back. What a kind of adapter puts where is in <see cref="AdapterMethods"/>.
/// </remarks>
public sealed class AdaptedModel : IDisposable
{
    private readonly AdapterParts _parts;
    private readonly List<(nn.Module Layer, IAdapter Adapter)> _adapters = [];
    private readonly List<Parameter> _own = [];
    private readonly List<(Parameter Value, Tensor Before)> _whole = [];
    private readonly IDisposable? _placed;

    private AdaptedModel(PretrainedModel model, PeftConfig config, AdapterParts parts, NamedTensors? stored, SplitMix64? random)
    {
        (Model, Config, _parts) = (model, config, parts);
        try
        {
            List<AdapterTensor> tensors = [];
            foreach (SharedTensors shared in parts.Shared)
            {
                shared.Values = Allocate(shared.Tensors, name => name, tensors);
                // What is not in the file comes from the settings alone.
                if (random is not null || shared.Tensors.Any(spec => !spec.Stored))
                    shared.Start(shared.Values, random ?? new(0));
            }

            Dictionary<string, nn.Module> modules = model.named_modules().ToDictionary(entry => entry.name, entry => entry.module, StringComparer.Ordinal);
            foreach (AdapterLayer layer in parts.Layers)
            {
                IAdapter adapter = layer.Make(Allocate(layer.Tensors, name => PeftNames.Whole(layer.Module, name), tensors));
                if (adapter is IBaseEdit edit)
                    edit.Apply((Projection)modules[layer.Module]);
                _adapters.Add((modules[layer.Module], adapter));
                if (random is not null)
                    Initialise(adapter, modules[layer.Module], random);
            }

            foreach ((string name, Parameter value) in Whole(model, config, parts))
            {
                tensors.Add(new(name, value, FederationClass.Exact));
                using IDisposable _ = no_grad();
                _whole.Add((value, value.clone().DetachFromDisposeScope()));
            }

            All = [.. tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
            Tensors = [.. All.Where(tensor => tensor.Stored)];
            Trainable = [.. All.Where(tensor => tensor.Trains).Select(tensor => (tensor.Name, tensor.Value))];
            if (stored is not null)
                Fill(stored);
            foreach ((nn.Module layer, IAdapter adapter) in _adapters)
                Put(layer, AdapterStack.With(Adapter(layer), adapter));
            Training = parts.Training?.Invoke();
            _placed = parts.Place?.Invoke();
        }
        catch
        {
            // Half an adapter must not stay on the model.
            TakeOff(merged: false);
            throw;
        }
    }

    /// <summary>The model the adapter sits on. It is not disposed with the adapter.</summary>
    public PretrainedModel Model { get; }

    /// <summary>The adapter's configuration.</summary>
    public PeftConfig Config { get; }

    /// <summary>Everything that is stored and travels, under its PEFT name, sorted by it.</summary>
    public IReadOnlyList<AdapterTensor> Tensors { get; }

    /// <summary>What trains, as a trainer takes it.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Trainable { get; }

    /// <summary>What the kind of adapter does while it trains.</summary>
    internal IAdapterTraining? Training { get; }

    private IReadOnlyList<AdapterTensor> All { get; }

    /// <summary>Puts a fresh adapter on a model; its first output equals the model's unless the configuration says to start otherwise.</summary>
    /// <remarks>The same configuration, model and seed give bit-identical tensors.</remarks>
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="seed">Seed of the random values.</param>
    /// <param name="besideOthers">Whether adapters that are on the model already may stay, and act together with this one.</param>
    /// <exception cref="PeftFormatException">The configuration does not fit the model, or asks for what is not supported.</exception>
    /// <exception cref="InvalidOperationException">The model carries an adapter already.</exception>
    public static AdaptedModel Attach(PretrainedModel model, PeftConfig config, ulong seed, bool besideOthers = false) =>
        new(model, config, Parts(model, config, null, besideOthers), null, new(seed));

    /// <summary>Puts an adapter with given tensors on a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">The settings.</param>
    /// <param name="tensors">The tensors under their PEFT names.</param>
    /// <param name="besideOthers">Whether adapters that are on the model already may stay, and act together with this one.</param>
    /// <exception cref="PeftFormatException">The configuration does not fit the model, or the tensors do not fit the configuration.</exception>
    /// <exception cref="InvalidOperationException">The model carries an adapter already.</exception>
    public static AdaptedModel Attach(PretrainedModel model, PeftConfig config, NamedTensors tensors, bool besideOthers = false)
    {
        // Before memory is taken: a rank that came with a file may be anything.
        AdapterParts parts = Parts(model, config, tensors, besideOthers);
        RequireFit(model, Layout(model, config, parts), tensors);
        return new(model, config, parts, tensors, null);
    }

    /// <summary>Reads a PEFT adapter folder and puts it on a model.</summary>
    /// <exception cref="PeftFormatException">The folder is no usable adapter, or not one for this model.</exception>
    /// <exception cref="TensorFormatException">The tensor file is damaged.</exception>
    /// <exception cref="InvalidOperationException">The model carries an adapter already.</exception>
    public static AdaptedModel Load(PretrainedModel model, string folder, bool besideOthers = false)
    {
        AdapterFolder stored = AdapterFolder.Read(folder);
        return Attach(model, stored.Config, stored.Tensors, besideOthers);
    }

    /// <summary>A copy of what the PEFT file holds.</summary>
    public NamedTensors Export() => Exported().Tensors;

    /// <summary>Overwrites everything that is stored.</summary>
    /// <exception cref="PeftFormatException">Tensors are missing, surplus or of another shape; lists them all. Nothing was changed.</exception>
    public void Import(NamedTensors tensors)
    {
        RequireFit(Model, Layout(Model, Config, _parts), tensors);
        Fill(tensors);
    }

    /// <summary>Writes a PEFT adapter folder.</summary>
    public void Save(string folder, DType dtype = DType.F32)
    {
        (PeftConfig config, NamedTensors tensors) = Exported();
        AdapterFolder.Write(folder, config, tensors, dtype);
    }

    /// <summary>Writes a PEFT adapter folder that works on the base as it is in its file, also where this adapter started from a part of the base (PiSSA, OLoRA).</summary>
    /// <remarks>Such an adapter becomes a plain LoRA of twice the rank, which needs no decomposition of the base to be loaded; any other is saved as it is.</remarks>
    public void SaveForUntouchedBase(string folder, DType dtype = DType.F32)
    {
        (PeftConfig config, NamedTensors tensors) = Exported();
        if (_parts.ForUntouchedBase is { } convert)
            (config, tensors) = convert(config, tensors);
        AdapterFolder.Write(folder, config, tensors, dtype);
    }

    /// <summary>Writes the adapter into the model's own weights, which then compute the same in evaluation, and takes it off.</summary>
    /// <exception cref="InvalidOperationException">The kind of adapter cannot be expressed by weights, or others sit on the same layers.</exception>
    public void Merge()
    {
        if (_parts.Unmergeable is { } reason)
            throw new InvalidOperationException($"An adapter of the kind {Config.PeftType} cannot be merged: {reason}.");
        if (_adapters.Any(entry => !ReferenceEquals(Adapter(entry.Layer), entry.Adapter)))
            throw new InvalidOperationException("Another adapter sits on the same layers; take it off before this one is merged.");

        if (_adapters.Any(entry => entry.Layer is TokenEmbedding table && AdapterTargets.IsTiedTable(Model, table.Weight)))
            throw new InvalidOperationException("The adapter changes the token table, which is the output head too: merged, it would change both. Untie the checkpoint first.");

        using IDisposable _ = no_grad();
        foreach ((nn.Module layer, IAdapter adapter) in _adapters)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor target, Parameter? offset) = Plain(layer);
            (Tensor weight, Tensor? bias) = adapter.Merge(target, offset);
            target.copy_(weight);
            if (bias is not null)
                offset!.copy_(bias);
        }

        TakeOff(merged: true);
    }

    /// <summary>Takes the adapter off the model and frees it.</summary>
    public void Dispose() => TakeOff(merged: false);

    private void TakeOff(bool merged)
    {
        _placed?.Dispose();
        foreach ((nn.Module layer, IAdapter adapter) in _adapters)
        {
            Put(layer, AdapterStack.Without(Adapter(layer), adapter));
            if (!merged && adapter is IBaseEdit edit)
                edit.Revert((Projection)layer);
            (adapter as IDisposable)?.Dispose();
        }

        using IDisposable _ = no_grad();
        foreach ((Parameter value, Tensor before) in _whole)
        {
            if (!merged)
                value.copy_(before);
            before.Dispose();
        }

        _whole.Clear();
        _own.ForEach(tensor => tensor.Dispose());
        _own.Clear();
        _adapters.Clear();
    }

    // What a file may leave out stays as it is.
    private void Fill(NamedTensors stored)
    {
        foreach (AdapterTensor tensor in Tensors.Where(tensor => stored.Contains(tensor.Name)))
            stored[tensor.Name].CopyTo(tensor.Value.Floats());
    }

    private Parameter[] Allocate(IReadOnlyList<TensorSpec> specs, Func<string, string> fullName, List<AdapterTensor> tensors)
    {
        Parameter[] values = [.. specs.Select(spec => Weights.Allocate(spec.Shape))];
        _own.AddRange(values);
        tensors.AddRange(specs.Zip(values, (spec, value) => new AdapterTensor(fullName(spec.Name), value, spec.Federation, spec.Trains, spec.Stored)));
        foreach ((TensorSpec spec, Parameter value) in specs.Zip(values))
            value.requires_grad = spec.Trains;
        return values;
    }

    private (PeftConfig Config, NamedTensors Tensors) Exported()
    {
        NamedTensors copy = new();
        foreach (AdapterTensor tensor in Tensors)
            copy.Add(tensor.Name, tensor.Value.shape, tensor.Value.Floats().ToArray());
        return _parts.Export?.Invoke(Config, copy) ?? (Config, copy);
    }

    private static AdapterParts Parts(PretrainedModel model, PeftConfig config, NamedTensors? stored, bool besideOthers)
    {
        if (!besideOthers && (model.Prefix is not null || model.Prompt is not null || model.named_modules().Any(entry => Adapter(entry.module) is not null)))
            throw new InvalidOperationException("The model carries an adapter already; dispose or merge that one first.");
        AdapterParts parts = AdapterMethods.Parts(model, config, stored);
        return parts with { Layers = [.. parts.Layers, .. AdapterTargets.TableCopies(model, config)] };
    }

    private static void Initialise(IAdapter adapter, nn.Module layer, SplitMix64 random)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        adapter.Initialise(Plain(layer).Weight, random);
    }

    private static IAdapter? Adapter(nn.Module layer) => layer switch
    {
        Projection linear => linear.Adapter,
        TokenEmbedding table => table.Adapter,
        _ => null,
    };

    private static void Put(nn.Module layer, IAdapter? adapter)
    {
        if (layer is Projection linear)
            linear.Adapter = (ILinearAdapter?)adapter;
        else
            ((TokenEmbedding)layer).Adapter = (IEmbeddingAdapter?)adapter;
    }

    private static (Tensor Weight, Parameter? Bias) Plain(nn.Module layer) =>
        layer is Projection linear ? (linear.Matrix, linear.Bias) : (((TokenEmbedding)layer).Weight, null);

    private static IEnumerable<(string Name, Parameter Value)> Whole(PretrainedModel model, PeftConfig config, AdapterParts parts) =>
        AdapterTargets.SavedWhole(model, config).Concat(parts.Whole).DistinctBy(whole => whole.Name);

    /// <summary>Names and shapes of what is stored, and whether a file must have it.</summary>
    private static IEnumerable<(string Name, long[] Shape, bool Required)> Layout(PretrainedModel model, PeftConfig config, AdapterParts parts)
    {
        HashSet<string> optional = [.. parts.Optional.Select(tensor => tensor.Name)];
        (string Name, long[] Shape)[] own =
        [
        .. parts.Shared.SelectMany(shared => shared.Tensors).Where(spec => spec.Stored).Select(spec => (spec.Name, spec.Shape)),
        .. parts.Layers.SelectMany(layer => layer.Tensors.Where(spec => spec.Stored).Select(spec => (PeftNames.Whole(layer.Module, spec.Name), spec.Shape))),
        .. Whole(model, config, parts).Select(whole => (whole.Name, whole.Value.shape)),
        ];
        return own.Where(tensor => !optional.Contains(tensor.Name)).Select(tensor => (tensor.Name, tensor.Shape, true))
            .Concat(parts.Optional.Select(tensor => (tensor.Name, tensor.Shape, false)));
    }

    private static void RequireFit(PretrainedModel model, IEnumerable<(string Name, long[] Shape, bool Required)> wanted, NamedTensors tensors)
    {
        List<string> problems = [];
        HashSet<string> surplus = [.. tensors.Names];
        foreach ((string name, long[] shape, bool required) in wanted)
        {
            bool there = surplus.Remove(name);
            if (!there && required)
                problems.Add($"missing: {name} {TensorText.Shape(shape)}");
            else if (there && !tensors.Shape(name).SequenceEqual(shape))
                problems.Add($"wrong shape: {name} is {TensorText.Shape(tensors.Shape(name))}, the model needs {TensorText.Shape(shape)}");
        }

        problems.AddRange(tensors.Names.Where(surplus.Contains).Select(name => $"surplus: {TensorText.Quote(name)}"));
        if (problems.Count > 0)
            throw new PeftFormatException($"The adapter's tensors do not fit its configuration on this {model.Config.ClassName}:{Environment.NewLine}  {string.Join(Environment.NewLine + "  ", problems.Take(CheckpointException.Listed))}");
    }
}
