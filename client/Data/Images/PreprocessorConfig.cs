using System.Collections.Frozen;
using Federated.Client.Models;

namespace Federated.Client.Data.Images;

/// <summary>The steps from an image to what a model reads, as <c>preprocessor_config.json</c> or timm's <c>pretrained_cfg</c> says.</summary>
/// <remarks>
/// Each image processor of transformers has defaults of its own, which stand where the file is silent. A folder with neither is read as if by
/// <c>ViTImageProcessor</c>: bilinear to the model's size, then mean and deviation of one half.
/// </remarks>
public sealed record PreprocessorConfig
{
    private const string File = "preprocessor_config.json";
    private static readonly double[] Halves = [0.5, 0.5, 0.5];
    private static readonly double[] ImageNetMean = [0.485, 0.456, 0.406], ImageNetDeviation = [0.229, 0.224, 0.225];
    private static readonly double[] ClipMean = [0.48145466, 0.4578275, 0.40821073], ClipDeviation = [0.26862954, 0.26130258, 0.27577711];

    private static readonly FrozenDictionary<string, Defaults> Families = new Dictionary<string, Defaults>(StringComparer.Ordinal)
    {
        ["ViT"] = new(new(224, 224, KeepsShape: false), Crops: false, ResamplingFilter.Bilinear, Halves, Halves),
        ["DeiT"] = new(new(256, 256, KeepsShape: false), Crops: true, ResamplingFilter.Bicubic, Halves, Halves),
        ["CLIP"] = new(new(224, 224, KeepsShape: true), Crops: true, ResamplingFilter.Bicubic, ClipMean, ClipDeviation),
        ["Bit"] = new(new(224, 224, KeepsShape: true), Crops: true, ResamplingFilter.Bicubic, ClipMean, ClipDeviation),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The size to resize to; null to leave it.</summary>
    public ImageResize? Resize { get; init; }

    /// <summary>How to resize.</summary>
    public ResamplingFilter Filter { get; init; } = ResamplingFilter.Bilinear;

    /// <summary>The size of the middle that is kept after that; null to keep all.</summary>
    public (int Width, int Height)? Crop { get; init; }

    /// <summary>How the middle is found.</summary>
    public CropRounding CropRounding { get; init; }

    /// <summary>What numbers from 0 to 255 are multiplied with; null for nothing.</summary>
    public double? Rescale { get; init; } = 1.0 / 255;

    /// <summary>What is then taken from each channel; one number for all of them, or one each.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0];

    /// <summary>What each channel is then divided by; one number for all of them, or one each.</summary>
    public IReadOnlyList<double> Deviation { get; init; } = [1];

    /// <summary>Reads a model folder's steps.</summary>
    /// <param name="folder">Folder with config.json, and perhaps preprocessor_config.json.</param>
    /// <param name="size">The images that the model was made for.</param>
    /// <exception cref="CheckpointException">The steps are not supported or contradict each other.</exception>
    public static PreprocessorConfig Read(string folder, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(size);
        ConfigReader reader;
        PreprocessorConfig config;
        if (CheckpointFolder.Find(folder, File) is { } path)
        {
            reader = ConfigReader.Open(path);
            config = OfTransformers(reader);
        }
        else
        {
            reader = ConfigReader.Open(CheckpointFolder.Require(folder, CheckpointFiles.ConfigFile));
            config = reader.Section("pretrained_cfg") is { } section ? OfTimm(section, size) : Otherwise(size);
        }

        reader.ThrowIfRejected();
        return config;
    }

    /// <summary>What one number of a channel becomes: single precision where transformers has it.</summary>
    internal float Normalise(byte value, int channel)
    {
        float rescaled = (float)(Rescale is { } factor ? value * factor : value);
        return (rescaled - (float)Of(Mean, channel)) / (float)Of(Deviation, channel);
    }

    /// <summary>Refuses steps that cannot give the images that a model was made for.</summary>
    /// <exception cref="CheckpointException">With all reasons.</exception>
    internal void RequireFit(ImageSize size)
    {
        List<string> problems = [];
        if (size.Channels is not (1 or 3))
            problems.Add($"the model reads images of {size.Channels} channels; files have 1 or 3");
        foreach ((string name, IReadOnlyList<double> numbers) in (ReadOnlySpan<(string, IReadOnlyList<double>)>)[("image_mean", Mean), ("image_std", Deviation)])
        {
            if (numbers.Count != 1 && numbers.Count != size.Channels)
                problems.Add($"{name} has {numbers.Count} numbers; the model reads images of {size.Channels} channels");
        }

        (int Width, int Height)? given = Crop ?? (Resize is { KeepsShape: false } resize ? (resize.Width, resize.Height) : null);
        if (given is { } result && result != (size.Width, size.Height))
            problems.Add($"images become {result.Width} x {result.Height}; the model reads {size.Width} x {size.Height}");
        if (problems.Count > 0)
            throw CheckpointException.Of(File, "images cannot be made into what the model reads:", problems);
    }

    private static double Of(IReadOnlyList<double> numbers, int channel) => numbers.Count == 1 ? numbers[0] : numbers[channel];

    private static PreprocessorConfig Otherwise(ImageSize size) =>
        new() { Resize = new(size.Width, size.Height, KeepsShape: false), Mean = [0.5], Deviation = [0.5] };

    private static PreprocessorConfig OfTransformers(ConfigReader reader)
    {
        Defaults family = Family(reader);
        foreach (string step in (string[])["do_pad", "do_flip_channel_order", "do_thumbnail", "do_align_long_axis"])
        {
            if (reader.Flag(step, false))
                reader.Reject(step, "this step is not supported");
        }

        bool normalises = reader.Flag("do_normalize", true);
        return new()
        {
            Resize = reader.Flag("do_resize", true) ? Size(reader, "size", family.Size.KeepsShape) ?? family.Size : null,
            Filter = (ResamplingFilter)reader.WholeNumber("resample", 0, 5, (int)family.Filter),
            Crop = reader.Flag("do_center_crop", family.Crops) ? CropSize(reader) : null,
            Rescale = reader.Flag("do_rescale", true) ? reader.Number("rescale_factor", 0, 1e6, 1.0 / 255) : null,
            Mean = normalises ? Numbers(reader, "image_mean", family.Mean) : [0],
            Deviation = normalises ? Positive(reader, "image_std", Numbers(reader, "image_std", family.Deviation)) : [1],
        };
    }

    /// <summary>The defaults of the processor's class, whatever its version calls it.</summary>
    private static Defaults Family(ConfigReader reader)
    {
        string key = reader.Has("image_processor_type") ? "image_processor_type" : "feature_extractor_type", name = reader.Text(key) ?? "ViTImageProcessor";
        foreach (string end in (string[])["ImageProcessorFast", "ImageProcessor", "FeatureExtractor"])
        {
            if (name.EndsWith(end, StringComparison.Ordinal) && Families.TryGetValue(name[..^end.Length], out Defaults? known))
                return known;
        }

        reader.Reject(key, $"'{name}' is not supported; supported: {string.Join(", ", Families.Keys.Order(StringComparer.Ordinal).Select(family => family + "ImageProcessor"))}");
        return Families["ViT"];
    }

    /// <summary>A size in any of its spellings: a number, [height, width], {"height", "width"} or {"shortest_edge"}; null if the file has none.</summary>
    private static ImageResize? Size(ConfigReader reader, string key, bool numberKeepsShape)
    {
        const int Largest = 1 << 14;
        if (!reader.Has(key))
            return null;
        if (!reader.IsObject(key))
        {
            (int first, int second) = reader.Pair(key, 1, Largest, (1, 1));
            return new(second, first, numberKeepsShape && reader.WholeNumbers(key, 1, Largest).Count == 1);
        }

        ConfigReader section = reader.Section(key)!;
        string[] keys = [.. section.Keys.Order(StringComparer.Ordinal)];
        if (keys is ["shortest_edge"])
        {
            int side = section.WholeNumber(keys[0], 1, Largest);
            return new(side, side, KeepsShape: true);
        }

        if (keys is not ["height", "width"])
            reader.Reject(key, $"the keys are {string.Join(", ", keys)}; supported: height and width, or shortest_edge alone");
        return new(section.WholeNumber("width", 1, Largest, 1), section.WholeNumber("height", 1, Largest, 1), KeepsShape: false);
    }

    private static (int Width, int Height) CropSize(ConfigReader reader)
    {
        ImageResize size = Size(reader, "crop_size", numberKeepsShape: false) ?? new(224, 224, KeepsShape: false);
        if (size.KeepsShape)
            reader.Reject("crop_size", "a shortest edge is no size to crop to; give height and width");
        return (size.Width, size.Height);
    }

    /// <summary>timm's evaluation transform: the shorter side a little larger than the model's, then the middle.</summary>
    private static PreprocessorConfig OfTimm(ConfigReader section, ImageSize size)
    {
        section.Supports("crop_mode", "center");
        section.Supports("interpolation", "bilinear", "bicubic", "nearest", "lanczos", "box", "hamming");
        double share = section.Number("crop_pct", 0.01, 1, 0.875);
        int side = (int)Math.Floor(size.Width / share);
        if (size.Width != size.Height)
            section.Reject("input_size", $"images of {size.Width} x {size.Height} are not square; say in {File} how to make them");
        return new()
        {
            Resize = new(side, side, KeepsShape: true),
            Filter = Enum.TryParse(section.Text("interpolation") ?? "bicubic", ignoreCase: true, out ResamplingFilter filter) ? filter : ResamplingFilter.Bicubic,
            Crop = (size.Width, size.Height),
            CropRounding = CropRounding.ToEven,
            Mean = Numbers(section, "mean", ImageNetMean),
            Deviation = Positive(section, "std", Numbers(section, "std", ImageNetDeviation)),
        };
    }

    private static IReadOnlyList<double> Numbers(ConfigReader reader, string key, double[] otherwise) =>
        reader.Has(key) ? reader.Numbers(key, -1e6, 1e6) : otherwise;

    private static IReadOnlyList<double> Positive(ConfigReader reader, string key, IReadOnlyList<double> numbers)
    {
        if (numbers.Count == 0 || numbers.Any(number => (float)number == 0))
            reader.Reject(key, "each channel is divided by it; numbers other than 0 were expected");
        return numbers;
    }

    /// <summary>What an image processor does where its file is silent.</summary>
    private sealed record Defaults(ImageResize Size, bool Crops, ResamplingFilter Filter, double[] Mean, double[] Deviation);
}
