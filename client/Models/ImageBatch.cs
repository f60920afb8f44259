using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Images of one size, normalised as the model expects them: Hugging Face's <c>pixel_values</c>.</summary>
public sealed class ImageBatch : ModelInput
{
    private readonly float[] _pixels;

    /// <summary>Takes over the pixels of some images.</summary>
    /// <param name="pixels">(rows, channels, height, width), row-major. Kept, not copied.</param>
    /// <param name="rows">Number of images, at least 1.</param>
    /// <param name="channels">Number of colour channels, at least 1.</param>
    /// <param name="height">Rows of pixels, at least 1.</param>
    /// <param name="width">Pixels of a row, at least 1.</param>
    /// <exception cref="ArgumentException">The number of pixels is not the product of the sizes.</exception>
    public ImageBatch(float[] pixels, int rows, int channels, int height, int width)
    {
        foreach (int size in (int[])[rows, channels, height, width])
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        if (pixels.Length != (long)rows * channels * height * width)
            throw new ArgumentException($"{pixels.Length} numbers for {rows} images of {channels} x {height} x {width}.", nameof(pixels));
        (_pixels, Rows, Channels, Height, Width) = (pixels, rows, channels, height, width);
    }

    /// <inheritdoc/>
    public override int Rows { get; }

    /// <summary>Number of colour channels.</summary>
    public int Channels { get; }

    /// <summary>Rows of pixels.</summary>
    public int Height { get; }

    /// <summary>Pixels of a row.</summary>
    public int Width { get; }

    /// <summary>Number of images: each counts as one unit of work, whatever patches a model cuts it into.</summary>
    public override int RealTokens => Rows;

    /// <summary>The numbers, (rows, channels, height, width).</summary>
    public ReadOnlyMemory<float> Pixels => _pixels;

    /// <summary>The images of an input, of the size that a model was made for.</summary>
    /// <exception cref="ArgumentException">It is an input of another kind, or of another size.</exception>
    internal static ImageBatch Of(ModelInput input, ImageSize size)
    {
        ImageBatch batch = input as ImageBatch ?? throw new ArgumentException($"An image model reads an {nameof(ImageBatch)}, not a {input.GetType().Name}.", nameof(input));
        return (batch.Channels, batch.Height, batch.Width) == (size.Channels, size.Height, size.Width)
            ? batch
            : throw new ArgumentException($"Images of {batch.Channels} x {batch.Height} x {batch.Width} for a model made for {size.Channels} x {size.Height} x {size.Width}; resize them first.", nameof(input));
    }

    /// <summary>Each image cut into patches without overlap, flattened channel by channel and row by row: (rows · patches, channels · height · width).</summary>
    internal Tensor Patches(ImageSize size)
    {
        int down = size.PatchesDown, across = size.PatchesAcross;
        Tensor cut = tensor(_pixels, [Rows, Channels, down, size.PatchHeight, across, size.PatchWidth]).permute(0, 2, 4, 1, 3, 5);
        return cut.reshape(Rows * down * across, Channels * size.PatchHeight * size.PatchWidth);
    }
}

/// <summary>The images that a model was made for, and the patches it cuts them into.</summary>
/// <param name="Channels">Number of colour channels.</param>
/// <param name="Height">Rows of pixels.</param>
/// <param name="Width">Pixels of a row.</param>
/// <param name="PatchHeight">Rows of a patch; divides the height.</param>
/// <param name="PatchWidth">Pixels of a patch's row; divides the width.</param>
public sealed record ImageSize(int Channels, int Height, int Width, int PatchHeight, int PatchWidth)
{
    /// <summary>Patches from top to bottom.</summary>
    public int PatchesDown => Height / PatchHeight;

    /// <summary>Patches from left to right.</summary>
    public int PatchesAcross => Width / PatchWidth;

    /// <summary>Patches of an image.</summary>
    public int Patches => PatchesDown * PatchesAcross;

    /// <summary>Reads the sizes and leaves problems in <paramref name="reader"/>.</summary>
    internal static ImageSize Read(ConfigReader reader, string channelsKey, string imageKey, ImageSize otherwise)
    {
        const int LargestImage = 1 << 14, MostChannels = 1 << 10, MostPatches = 1 << 20;
        (int height, int width) = reader.Pair(imageKey, 1, LargestImage, (otherwise.Height, otherwise.Width));
        (int patchHeight, int patchWidth) = reader.Pair("patch_size", 1, LargestImage, (otherwise.PatchHeight, otherwise.PatchWidth));
        ImageSize size = new(reader.WholeNumber(channelsKey, 1, MostChannels, otherwise.Channels), height, width, patchHeight, patchWidth);
        if (height % patchHeight != 0 || width % patchWidth != 0)
            reader.Reject("patch_size", $"patches of {patchHeight} x {patchWidth} do not divide images of {height} x {width}");
        if (size.Patches > MostPatches)
            reader.Reject("patch_size", $"{size.Patches} patches an image are more than {MostPatches}");
        return size;
    }
}
