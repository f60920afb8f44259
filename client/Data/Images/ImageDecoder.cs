using System.Buffers;
using SkiaSharp;

namespace Federated.Client.Data.Images;

/// <summary>Decodes PNG and JPEG files, whatever they hold.</summary>
/// <remarks>
/// <para>
/// Images may come from anybody, and decoders are where crafted files strike. SkiaSharp brings libpng and libjpeg-turbo as the Chrome browser
/// has them: fuzzed all the time and mended within days; the ports to C# at hand work on raw pointers as well, without that care. Skia knows a
/// dozen formats more, so a file gets to it only when it begins as a PNG or JPEG does, and pixels are made room for only when the size in its
/// header is within the bounds.
/// </para>
/// <para>
/// The numbers are those of Pillow's <c>convert</c>: opacity is dropped, 16 bits become 8, CMYK becomes red, green and blue, colour profiles change
/// nothing. An image is turned as its EXIF orientation says, as transformers and datasets do when they load one.
/// </para>
/// </remarks>
public static class ImageDecoder
{
    /// <summary>Longest side: what JPEG can say.</summary>
    public const int LongestSide = 65_535;

    /// <summary>Most pixels of an image: 256 MB while it is decoded.</summary>
    public const int MostPixels = 1 << 26;

    /// <summary>Largest file in bytes.</summary>
    public const int LargestFile = 1 << 28;

    private const int BytesOfPixel = 4;
    private static readonly byte[] Png = [0x89, .. "PNG\r\n\u001a\n"u8], Jpeg = [0xFF, 0xD8, 0xFF];

    /// <summary>Looks at a file's header.</summary>
    /// <param name="content">The file.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <returns>Its size, upright.</returns>
    /// <exception cref="DataFormatException">It is no PNG or JPEG, damaged in its header, or larger than the bounds.</exception>
    public static (int Width, int Height) Measure(ReadOnlySpan<byte> content, string file) => Use(content, file, codec =>
        Turns(codec.EncodedOrigin) ? (codec.Info.Height, codec.Info.Width) : (codec.Info.Width, codec.Info.Height));

    /// <summary>Decodes a file.</summary>
    /// <param name="content">The file.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="channels">1 for grey, 3 for red, green and blue.</param>
    /// <exception cref="DataFormatException">As <see cref="Measure"/>, or damaged or cut short behind its header.</exception>
    public static PixelImage Decode(ReadOnlySpan<byte> content, string file, int channels) => Use(content, file, codec => Decode(codec, file, channels));

    private static unsafe T Use<T>(ReadOnlySpan<byte> content, string file, Func<SKCodec, T> use)
    {
        if (!content.StartsWith(Png) && !content.StartsWith(Jpeg))
            throw new DataFormatException(file, 0, "it is neither PNG nor JPEG, whatever its name says; convert it, or take it out of the folder.");
        if (content.Length > LargestFile)
            throw new DataFormatException(file, 0, $"{content.Length:N0} bytes; at most {LargestFile:N0} are taken. Make it smaller.");
        fixed (byte* start = content)
        {
            using SKData data = SKData.Create((nint)start, content.Length);
            using SKCodec codec = SKCodec.Create(data) ?? throw new DataFormatException(file, 0, "its header is damaged; convert it again, or take it out of the folder.");
            SKImageInfo info = codec.Info;
            if (info.Width > LongestSide || info.Height > LongestSide || (long)info.Width * info.Height > MostPixels)
                throw new DataFormatException(file, 0, $"an image of {info.Width} x {info.Height} pixels; at most {LongestSide} a side and {MostPixels:N0} in all are taken. Make it smaller.");
            return use(codec);
        }
    }

    private static unsafe PixelImage Decode(SKCodec codec, string file, int channels)
    {
        // No colour space asked for: the numbers stay those of the file. Not multiplied by the opacity, which is dropped.
        SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, colorspace: null);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(info.Width * info.Height * BytesOfPixel);
        try
        {
            SKCodecResult result;
            fixed (byte* pixels = buffer)
                result = codec.GetPixels(info, (nint)pixels, info.RowBytes, SKCodecOptions.Default);
            if (result != SKCodecResult.Success)
                throw new DataFormatException(file, 0, $"the image is {(result == SKCodecResult.IncompleteInput ? "cut short" : "damaged")}; copy or convert it again, or take it out of the folder.");
            return Upright(buffer, info.Width, info.Height, codec.EncodedOrigin, channels);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Whether upright means that rows become columns.</summary>
    private static bool Turns(SKEncodedOrigin origin) => origin >= SKEncodedOrigin.LeftTop;

    private static PixelImage Upright(ReadOnlySpan<byte> pixels, int width, int height, SKEncodedOrigin origin, int channels)
    {
        bool turns = Turns(origin);
        bool fromRight = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom;
        bool fromBelow = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        (int across, int down) = turns ? (height, width) : (width, height);
        byte[] result = new byte[across * down * channels];
        int target = 0;
        for (int y = 0; y < down; y++)
        {
            // Where row y begins in the file, a column there if the image was turned, and how far its pixels are apart.
            int line = fromBelow ? down - 1 - y : y, step = turns ? width : 1;
            int start = turns ? line : line * width;
            if (fromRight)
                (start, step) = (start + ((across - 1) * step), -step);
            for (int x = 0, source = start; x < across; x++, source += step, target += channels)
            {
                ReadOnlySpan<byte> pixel = pixels.Slice(source * BytesOfPixel, BytesOfPixel);
                if (channels == 1)
                    result[target] = PixelImage.Luma(pixel[0], pixel[1], pixel[2]);
                else
                    (result[target], result[target + 1], result[target + 2]) = (pixel[0], pixel[1], pixel[2]);
            }
        }

        return new(across, down, channels, result);
    }
}
