using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>A backbone under a head: what a Hugging Face model folder holds.</summary>
/// <remarks>Parameters are float32 on the CPU, named as in <c>model.safetensors</c>. Not safe for concurrent use.</remarks>
public sealed class PretrainedModel : nn.Module<ModelInput, Tensor>
{
    private readonly Dictionary<string, Projection> _projections;

    /// <summary>Puts a head on a backbone; <paramref name="backboneName"/> is its prefix in <c>model.safetensors</c>, empty where its modules stand beside the head.</summary>
    internal PretrainedModel(ModelConfig config, string backboneName, IBackbone backbone, IModelHead head) : base(nameof(PretrainedModel))
    {
        (Config, Backbone, Head) = (config, backbone, head);
        foreach ((string name, nn.Module module) in backboneName.Length > 0 ? [(backboneName, backbone.Module)] : backbone.Module.named_children())
            register_module(name, module);
        foreach ((string name, nn.Module module) in head.Modules)
            register_module(name, module);
        Parameters = [.. named_parameters()];
        _projections = named_modules().Where(entry => entry.module is Projection)
            .ToDictionary(entry => entry.name, entry => (Projection)entry.module, StringComparer.Ordinal);
        eval();
    }

    /// <summary>The configuration, as <c>config.json</c> holds it.</summary>
    public ModelConfig Config { get; }

    /// <summary>The part below the head.</summary>
    public IBackbone Backbone { get; }

    /// <summary>The part on top.</summary>
    public IModelHead Head { get; }

    /// <summary>All parameters under their Hugging Face names; a tied one appears once.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Parameters { get; }

    /// <summary>Every linear layer under its module name, such as <c>model.layers.0.self_attn.q_proj</c>; adapters go there.</summary>
    public IReadOnlyDictionary<string, Projection> Projections => _projections;

    /// <summary>Names of the parameters that the checkpoint lacked and that were made new when it was loaded: those of a new head.</summary>
    public IReadOnlySet<string> NewParameters { get; internal set; } = new HashSet<string>();

    /// <summary>How many numbers the parameters hold.</summary>
    public long ParameterCount => Parameters.Sum(parameter => parameter.Value.numel());

    /// <summary>A new model with seeded random weights, initialised as transformers does.</summary>
    /// <remarks>The same configuration and seed give bit-identical weights.</remarks>
    public static PretrainedModel Create(ModelConfig config, ulong seed)
    {
        PretrainedModel model = Architectures.Of(config).Build(config);
        model.Initialise(model.Parameters, seed);
        return model;
    }

    /// <summary>Reads a Hugging Face model folder: <c>config.json</c> with <c>model.safetensors</c> or its shards.</summary>
    /// <exception cref="CheckpointException">The folder is no usable checkpoint; the message lists everything wrong with it.</exception>
    /// <exception cref="TensorFormatException">A tensor file is damaged.</exception>
    public static PretrainedModel Load(string folder, ModelLoadOptions? options = null) => CheckpointReader.Load(folder, options ?? new());

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c> as transformers reads them; creates the folder.</summary>
    /// <param name="folder">Where to; files of those names are replaced.</param>
    /// <param name="dtype">F32, or F16 or BF16 for half the size.</param>
    public void Save(string folder, DType dtype = DType.F32) => CheckpointWriter.Save(this, folder, dtype);

    /// <summary>The configuration of a text model.</summary>
    /// <exception cref="InvalidOperationException">This is no text model.</exception>
    public TextModelConfig TextConfig => Config as TextModelConfig ?? throw new InvalidOperationException($"A {Config.ClassName} has no vocabulary: it reads images.");

    /// <summary>Keys and values that stand before every row, put there by an adapter; null for none.</summary>
    public AttentionPrefix? Prefix { get; internal set; }

    /// <summary>Virtual tokens that stand before every row, put there by an adapter; null for none.</summary>
    public VirtualTokens? Prompt { get; internal set; }

    /// <summary>Logits of an input: (positions, vocabulary) or (rows, labels), in the caller's dispose scope.</summary>
    public override Tensor forward(ModelInput input) => Logits(input);

    /// <summary>Logits of an input; what is computed on the way goes to <paramref name="trace"/>.</summary>
    public Tensor Logits(ModelInput input, ForwardTrace? trace = null)
    {
        using DisposeScope scope = NewDisposeScope();
        input = Prompted(input);
        return Head.Logits(Encode(input, new() { Positions = Head.Positions(input), Trace = trace })).MoveToOuterDisposeScope();
    }

    /// <summary>The input as the model reads it: behind an adapter's virtual tokens, unless it is so already.</summary>
    public ModelInput Prompted(ModelInput input) => Prompt is not null && input is SequenceBatch { VirtualTokens: 0 } tokens ? tokens.Behind(Prompt.Count, TextConfig.VocabularySize) : input;

    /// <summary>Hidden states as the head reads them, (n, hidden), in the caller's dispose scope; an adapter's prefix or virtual tokens are taken into account.</summary>
    /// <remarks>Wanted positions are those of the input that is given; all positions are those of <see cref="Prompted"/>. A cache holds the virtual tokens from its first pass on.</remarks>
    public Tensor Encode(ModelInput input, ForwardOptions? options = null)
    {
        options ??= ForwardOptions.None;
        if (options.Cache is not { Length: > 0 } && Prompted(input) is SequenceBatch prompted && !ReferenceEquals(prompted, input))
            (input, options) = (prompted, options with { Positions = options.Positions is { } wanted ? Moved(wanted, SequenceBatch.Of(input), prompted.VirtualTokens) : null });
        return Backbone.Encode(input, Prefix is null ? options : options with { Prefix = Prefix });
    }

    /// <summary>Fills <paramref name="parameters"/> with seeded initial values: matrices normal, norms one, biases and the padding token's row zero.</summary>
    internal void Initialise(IEnumerable<(string Name, Parameter Value)> parameters, ulong seed)
    {
        SplitMix64 random = new(seed);
        foreach ((string name, Parameter parameter) in parameters)
        {
            bool matrix = parameter.dim() > 1;
            float constant = name.EndsWith("bias", StringComparison.Ordinal) ? 0 : 1;
            parameter.VisitSlices((_, values) =>
            {
                if (matrix)
                    Weights.FillNormal(values, Config.InitialDeviation(name), random);
                else
                    values.Fill(constant);
            });
            if (ReferenceEquals(parameter, Backbone.TokenTable) && TextConfig.PadTokenId is { } padding)
                ClearRow(parameter, padding);
        }
    }

    // The same places once each row has more places before it.
    private static long[] Moved(long[] positions, SequenceBatch tokens, int count)
    {
        ReadOnlySpan<int> offsets = tokens.Offsets.Span;
        long[] moved = [.. positions];
        foreach (ref long position in moved.AsSpan())
        {
            int row = offsets.BinarySearch((int)position);
            // Of empty rows that start at the same place there are none; between two starts the search gives the next one's complement.
            row = row >= 0 ? row : ~row - 1;
            position += (row + 1L) * count;
        }

        return moved;
    }

    private static void ClearRow(Parameter table, long row)
    {
        using IDisposable _ = no_grad();
        using Tensor values = table.narrow(0, row, 1);
        values.Floats().Clear();
    }
}
