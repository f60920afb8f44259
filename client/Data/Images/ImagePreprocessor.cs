using Federated.Client.Models;

namespace Federated.Client.Data.Images;

/// <summary>Makes of an image the numbers that a model reads: resize, crop, rescale, normalise.</summary>
/// <remarks>
/// As the image processors of Hugging Face transformers do with Pillow, and timm's evaluation transform: see <see cref="PreprocessorConfig"/>.
/// Safe for concurrent use.
/// </remarks>
public sealed class ImagePreprocessor
{
    private const int Values = 256;
    private readonly PreprocessorConfig _config;
    private readonly ImageSize _size;

    // What each of the 256 numbers of a channel becomes, (channels, 256).
    private readonly float[] _normalised;

    /// <summary>Prepares for images of a model.</summary>
    /// <param name="config">The steps.</param>
    /// <param name="size">The images that the model was made for.</param>
    /// <exception cref="CheckpointException">The steps cannot give such images.</exception>
    public ImagePreprocessor(PreprocessorConfig config, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(size);
        config.RequireFit(size);
        (_config, _size) = (config, size);
        _normalised = new float[size.Channels * Values];
        for (int channel = 0; channel < size.Channels; channel++)
        {
            for (int value = 0; value < Values; value++)
                _normalised[(channel * Values) + value] = config.Normalise((byte)value, channel);
        }
    }

    /// <summary>Colour channels that images are decoded to.</summary>
    public int Channels => _size.Channels;

    /// <summary>Rows of pixels of what comes out.</summary>
    public int Height => _size.Height;

    /// <summary>Pixels of a row of what comes out.</summary>
    public int Width => _size.Width;

    /// <summary>How many numbers an image becomes.</summary>
    public int Length => _size.Channels * _size.Height * _size.Width;

    /// <summary>Reads the steps from a model's folder.</summary>
    /// <exception cref="CheckpointException">They are unusable, or cannot give the images that the model was made for.</exception>
    public static ImagePreprocessor Read(string modelFolder, ImageSize size) => new(PreprocessorConfig.Read(modelFolder, size), size);

    /// <summary>Preprocesses an image.</summary>
    /// <param name="image">An image of any size.</param>
    /// <param name="target">Where the numbers go, (channels, height, width); <see cref="Length"/> of them.</param>
    /// <param name="file">The image's name, for messages.</param>
    /// <exception cref="DataFormatException">The image becomes too large, or of another size than the model reads.</exception>
    public void Apply(PixelImage image, Span<float> target, string file)
    {
        ArgumentNullException.ThrowIfNull(image);
        PixelImage resized = Resize(image.WithChannels(_size.Channels), file);
        if (_config.Crop is { } crop)
            resized = CentreCrop.Apply(resized, crop.Width, crop.Height, _config.CropRounding);
        if ((resized.Width, resized.Height) != (_size.Width, _size.Height))
        {
            throw new DataFormatException(file, 0,
                $"an image of {image.Width} x {image.Height} becomes one of {resized.Width} x {resized.Height}; the model reads {_size.Width} x {_size.Height}. "
                + "Let preprocessor_config.json resize to that, or crop.");
        }

        int pixels = _size.Height * _size.Width;
        for (int channel = 0; channel < _size.Channels; channel++)
        {
            ReadOnlySpan<float> normalised = _normalised.AsSpan(channel * Values, Values);
            Span<float> plane = target.Slice(channel * pixels, pixels);
            ReadOnlySpan<byte> source = resized.Pixels[channel..];
            for (int i = 0; i < plane.Length; i++)
                plane[i] = normalised[source[i * _size.Channels]];
        }
    }

    private PixelImage Resize(PixelImage image, string file)
    {
        if (_config.Resize is not { } resize)
            return image;
        (long width, long height) = resize.Of(image.Width, image.Height);
        if (Math.Max(width, image.Width) * Math.Max(height, image.Height) > ImageDecoder.MostPixels)
        {
            throw new DataFormatException(file, 0,
                $"an image of {image.Width} x {image.Height} would be resized to {width} x {height}, more than {ImageDecoder.MostPixels:N0} pixels on the way; "
                + "take it out of the folder, or cut it.");
        }

        return Resampling.Resize(image, (int)width, (int)height, _config.Filter);
    }
}
