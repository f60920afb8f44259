namespace Federated.Client.Data.Images;

/// <summary>An image of 8 bits a number: rows from top to bottom, the channels of a pixel side by side.</summary>
public sealed class PixelImage
{
    private readonly byte[] _pixels;

    /// <summary>Takes over pixels.</summary>
    /// <param name="width">Pixels of a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">1 for grey, 3 for red, green and blue.</param>
    /// <param name="pixels">(height, width, channels), row-major. Kept, not copied.</param>
    /// <exception cref="ArgumentException">The number of bytes is not the product of the sizes.</exception>
    public PixelImage(int width, int height, int channels, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (channels is not (1 or 3))
            throw new ArgumentException($"{channels} channels; wanted 1 (grey) or 3 (red, green, blue).", nameof(channels));
        if (pixels.LongLength != (long)width * height * channels)
            throw new ArgumentException($"{pixels.LongLength} bytes for an image of {width} x {height} with {channels} channels.", nameof(pixels));
        (Width, Height, Channels, _pixels) = (width, height, channels, pixels);
    }

    /// <summary>Pixels of a row.</summary>
    public int Width { get; }

    /// <summary>Number of rows.</summary>
    public int Height { get; }

    /// <summary>1 for grey, 3 for red, green and blue.</summary>
    public int Channels { get; }

    /// <summary>The numbers, (height, width, channels).</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>One row, (width, channels).</summary>
    public ReadOnlySpan<byte> Row(int y) => _pixels.AsSpan(y * Width * Channels, Width * Channels);

    /// <summary>The luma of red, green and blue in 16-bit fixed point, as Pillow's <c>convert("L")</c> has it (ITU-R 601-2: 299, 587 and 114 thousandths).</summary>
    public static byte Luma(byte red, byte green, byte blue) => (byte)(((red * 19595) + (green * 38470) + (blue * 7471) + 0x8000) >> 16);

    /// <summary>The same image with so many channels: grey repeated, or colours as their luma.</summary>
    public PixelImage WithChannels(int channels)
    {
        if (channels == Channels)
            return this;
        byte[] result = new byte[checked(Width * Height * channels)];
        if (channels == 1)
        {
            for (int i = 0; i < result.Length; i++)
                result[i] = Luma(_pixels[3 * i], _pixels[(3 * i) + 1], _pixels[(3 * i) + 2]);
        }
        else
        {
            for (int i = 0; i < _pixels.Length; i++)
                result.AsSpan(channels * i, channels).Fill(_pixels[i]);
        }

        return new(Width, Height, channels, result);
    }
}
