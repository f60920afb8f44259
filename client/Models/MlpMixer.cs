using System.Collections.Frozen;
using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The <c>config.json</c> of a timm MLP-Mixer: the name of a variant, and where it differs from that.</summary>
public sealed record MixerConfig : ImageModelConfig
{
    /// <summary>The name this project knows the architecture by; timm's configurations have none.</summary>
    public const string Name = "mlp_mixer";

    private const int LabelsOfImageNet = 1000;

    // Tolstikhin et al. 2021, table 1: hidden size, blocks and patch of the variants that timm has under these names.
    private static readonly FrozenDictionary<string, (int Hidden, int Blocks, int Patch)> Variants = new Dictionary<string, (int, int, int)>(StringComparer.Ordinal)
    {
        ["mixer_s32_224"] = (512, 8, 32),
        ["mixer_s16_224"] = (512, 8, 16),
        ["mixer_b32_224"] = (768, 12, 32),
        ["mixer_b16_224"] = (768, 12, 16),
        ["mixer_l32_224"] = (1024, 24, 32),
        ["mixer_l16_224"] = (1024, 24, 16),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // Arguments of timm's constructor that change nothing in evaluation.
    private static readonly string[] OfTrainingOnly = ["drop_rate", "proj_drop_rate", "drop_path_rate"];
    private static readonly string[] Understood = ["num_classes", "img_size", "in_chans", "patch_size", "num_blocks", "embed_dim", "mlp_ratio", "global_pool", "stem_norm", .. OfTrainingOnly];

    /// <inheritdoc/>
    public override string ModelType => Name;

    /// <inheritdoc/>
    public override string ClassName => "MlpMixer";

    /// <summary>timm's name of the variant.</summary>
    public required string Variant { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Inner width of the layers that mix patches, as a multiple of the hidden size.</summary>
    public required double TokenRatio { get; init; }

    /// <summary>Inner width of the layers that mix channels, as a multiple of the hidden size.</summary>
    public required double ChannelRatio { get; init; }

    /// <summary>Inner width of the layers that mix patches.</summary>
    public int TokenWidth => (int)(TokenRatio * HiddenSize);

    /// <summary>Inner width of the layers that mix channels.</summary>
    public int ChannelWidth => (int)(ChannelRatio * HiddenSize);

    /// <inheritdoc/>
    public override long BackboneParameters
    {
        get
        {
            long hidden = HiddenSize, patches = Image.Patches, tokens = TokenWidth, channels = ChannelWidth;
            long block = (4 * hidden) + (2 * patches * tokens) + tokens + patches + (2 * hidden * channels) + channels + hidden;
            return (hidden * Image.Channels * Image.PatchHeight * Image.PatchWidth) + (3 * hidden) + (Layers * block);
        }
    }

    internal static bool IsVariant(string name) => Variants.ContainsKey(name);

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    internal static MixerConfig Read(ConfigReader reader)
    {
        string variant = reader.Text("architecture") ?? "";
        if (!Variants.TryGetValue(variant, out var made))
            reader.Reject("architecture", $"'{variant}' is none of {string.Join(", ", Variants.Keys.Order(StringComparer.Ordinal))}");
        ConfigReader given = reader.SectionOrEmpty("model_args");
        foreach (string key in given.Keys.Where(key => !Understood.Contains(key, StringComparer.Ordinal)))
            given.Reject(key, "not supported");
        given.Supports("global_pool", "avg");
        if (given.Flag("stem_norm", false))
            given.Reject("stem_norm", "a norm behind the patches is not supported; set it to false");

        int labels = given.OptionalWholeNumber("num_classes", 1, ConfigBounds.LargestVocabulary) ?? reader.WholeNumber("num_classes", 1, ConfigBounds.LargestVocabulary, LabelsOfImageNet);
        IReadOnlyList<string> names = reader.Texts("label_names");
        if (names.Count > 0 && names.Count != labels)
            reader.Reject("label_names", $"{names.Count} names for num_classes {labels}");
        (double tokens, double channels) = given.NumberPair("mlp_ratio", 0, 1024, (0.5, 4));
        MixerConfig config = new()
        {
            Task = ModelTask.ImageClassification,
            Variant = variant,
            HiddenSize = given.WholeNumber("embed_dim", 1, ConfigBounds.WidestLayer, Math.Max(1, made.Hidden)),
            Labels = names.Count > 0 ? names : [.. Enumerable.Range(0, labels).Select(i => FormattableString.Invariant($"LABEL_{i}"))],
            Image = ImageSize.Read(given, "in_chans", "img_size", new(3, 224, 224, Math.Max(1, made.Patch), Math.Max(1, made.Patch))),
            Layers = given.WholeNumber("num_blocks", 1, ConfigBounds.MostLayers, Math.Max(1, made.Blocks)),
            TokenRatio = tokens,
            ChannelRatio = channels,
        };
        if (config.TokenWidth < 1 || config.ChannelWidth < 1)
            given.Reject("mlp_ratio", $"layers of inner widths {config.TokenWidth} and {config.ChannelWidth}; at least 1 each was expected");
        return config;
    }

    /// <summary>Writes <c>config.json</c> as timm reads it.</summary>
    public override void Write(Stream target, string dtype = "float32")
    {
        using Utf8JsonWriter writer = new(target, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        writer.WriteString("architecture", Variant);
        writer.WriteNumber("num_classes", Labels.Count);
        writer.WriteNumber("num_features", HiddenSize);
        writer.WriteStartArray("label_names");
        foreach (string label in Labels)
            writer.WriteStringValue(label);
        writer.WriteEndArray();
        WriteOwn(writer);
        writer.WriteEndObject();
    }

    /// <inheritdoc/>
    protected override void WriteOwn(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("model_args");
        writer.WriteNumber("num_classes", Labels.Count);
        WriteNumbers(writer, "img_size", Image.Height, Image.Width);
        writer.WriteNumber("in_chans", Image.Channels);
        WriteNumbers(writer, "patch_size", Image.PatchHeight, Image.PatchWidth);
        writer.WriteNumber("num_blocks", Layers);
        writer.WriteNumber("embed_dim", HiddenSize);
        WriteNumbers(writer, "mlp_ratio", TokenRatio, ChannelRatio);
        writer.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string key, double first, double second)
    {
        writer.WriteStartArray(key);
        writer.WriteNumberValue(first);
        writer.WriteNumberValue(second);
        writer.WriteEndArray();
    }
}

/// <summary>The MLP-Mixer: blocks that mix across patches, then across channels, without attention.</summary>
/// <remarks>Source: Tolstikhin et al. 2021, arXiv:2105.01601; parameter names as in timm's <c>MlpMixer</c>, which have no prefix.</remarks>
public sealed class MixerBackbone : nn.Module<ModelInput, Tensor>, IBackbone
{
    private const double NormEpsilon = 1e-6;
    [ComponentName(Name = "stem")] private readonly MixerStem _stem;
    [ComponentName(Name = "blocks")] private readonly ModuleList<MixerBlock> _blocks;
    [ComponentName(Name = "norm")] private readonly LayerNorm _norm;
    private readonly ImageSize _image;

    /// <summary>Creates the backbone with uninitialised weights.</summary>
    public MixerBackbone(MixerConfig config) : base(nameof(MixerBackbone))
    {
        _image = config.Image;
        _stem = new(config);
        _blocks = new([.. Enumerable.Range(0, config.Layers).Select(_ => new MixerBlock(config))]);
        _norm = new(config.HiddenSize, NormEpsilon);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <inheritdoc/>
    public Parameter? TokenTable => null;

    /// <summary>The model with uninitialised weights.</summary>
    internal static PretrainedModel Build(MixerConfig config) =>
        new(config, "", new MixerBackbone(config), new MeanPatchHead(config.Image.Patches, new(config.HiddenSize, config.Labels.Count, bias: true)));

    /// <inheritdoc/>
    public override Tensor forward(ModelInput input) => Encode(input, ForwardOptions.None);

    /// <inheritdoc/>
    public Tensor Encode(ModelInput input, ForwardOptions options)
    {
        if (options.Cache is not null || options.Prefix is not null)
            throw new ArgumentException("An MLP-Mixer has no attention to put a cache or a prefix before.", nameof(options));
        using DisposeScope scope = NewDisposeScope();
        ImageBatch images = ImageBatch.Of(input, _image);
        Tensor hidden = _stem.Projection.call(images.Patches(_image));
        options.Trace?.AddHidden(hidden);
        foreach (MixerBlock block in _blocks)
        {
            Tensor next = block.call(hidden);
            hidden.Dispose();
            hidden = next;
            options.Trace?.AddHidden(hidden);
        }

        Tensor normed = _norm.call(hidden);
        return (options.Positions is { } positions ? normed.index_select(0, tensor(positions, [positions.Length])) : normed).MoveToOuterDisposeScope();
    }

    /// <summary>The patch projection under its name.</summary>
    private sealed class MixerStem : nn.Module
    {
        [ComponentName(Name = "proj")] private readonly Projection _projection;

        internal MixerStem(MixerConfig config) : base(nameof(MixerStem))
        {
            _projection = Projection.Patches(config.Image.Channels, config.Image.PatchHeight, config.Image.PatchWidth, config.HiddenSize, bias: true);
            RegisterComponents();
        }

        internal Projection Projection => _projection;
    }

    /// <summary>One block: x + mix across patches (norm(x)), then x + mix across channels (norm(x)).</summary>
    private sealed class MixerBlock : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "norm1")] private readonly LayerNorm _tokenNorm;
        [ComponentName(Name = "mlp_tokens")] private readonly MixerFeedForward _tokens;
        [ComponentName(Name = "norm2")] private readonly LayerNorm _channelNorm;
        [ComponentName(Name = "mlp_channels")] private readonly MixerFeedForward _channels;
        private readonly long _patches, _hidden;

        internal MixerBlock(MixerConfig config) : base(nameof(MixerBlock))
        {
            (_patches, _hidden) = (config.Image.Patches, config.HiddenSize);
            _tokenNorm = new(config.HiddenSize, NormEpsilon);
            _tokens = new(config.Image.Patches, config.TokenWidth);
            _channelNorm = new(config.HiddenSize, NormEpsilon);
            _channels = new(config.HiddenSize, config.ChannelWidth);
            RegisterComponents();
        }

        // (rows · patches, hidden) → the same.
        public override Tensor forward(Tensor input)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor across = _tokenNorm.call(input).view(-1, _patches, _hidden).transpose(1, 2).reshape(-1, _patches);
            Tensor mixed = _tokens.call(across).view(-1, _hidden, _patches).transpose(1, 2).reshape(-1, _hidden);
            Tensor between = input + mixed;
            return (between + _channels.call(_channelNorm.call(between))).MoveToOuterDisposeScope();
        }
    }

    /// <summary>fc2(gelu(fc1(x))).</summary>
    private sealed class MixerFeedForward : nn.Module<Tensor, Tensor>
    {
        private static readonly Activation Gelu = Activation.Of("gelu");
        [ComponentName(Name = "fc1")] private readonly Projection _inner;
        [ComponentName(Name = "fc2")] private readonly Projection _outer;

        internal MixerFeedForward(long width, long inner) : base(nameof(MixerFeedForward))
        {
            (_inner, _outer) = (new(width, inner, bias: true), new(inner, width, bias: true));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using DisposeScope scope = NewDisposeScope();
            return _outer.call(Gelu.Apply(_inner.call(input))).MoveToOuterDisposeScope();
        }
    }
}
