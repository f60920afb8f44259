using SkiaSharp;

namespace Federated.Client.Tests.Data;

/// <summary>Makes image files.</summary>
internal static class TestImages
{
    /// <summary>Encodes grey pixels, (height, width).</summary>
    public static byte[] Encode(byte[] pixels, int width, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        using SKBitmap bitmap = new(width, pixels.Length / width, SKColorType.Gray8, SKAlphaType.Opaque);
        for (int i = 0; i < pixels.Length; i++)
            bitmap.SetPixel(i % width, i / width, new(pixels[i], pixels[i], pixels[i]));
        using SKData data = bitmap.Encode(format, quality: 95);
        return data.ToArray();
    }

    /// <summary>A digit of seven segments on 12 x 12 pixels, moved by a pixel and under noise.</summary>
    public static byte[] Digit(int digit, Random random)
    {
        // Top, upper left, upper right, middle, lower left, lower right, bottom.
        ReadOnlySpan<byte> segments = [0b1110111, 0b0010010, 0b1011101, 0b1011011, 0b0111010, 0b1101011, 0b1101111, 0b1010010, 0b1111111, 0b1111011];
        (int Y, int X, int Height, int Width)[] boxes = [(0, 1, 1, 5), (1, 0, 4, 1), (1, 6, 4, 1), (5, 1, 1, 5), (6, 0, 4, 1), (6, 6, 4, 1), (10, 1, 1, 5)];
        byte[] pixels = [.. Enumerable.Range(0, 144).Select(_ => (byte)random.Next(60))];
        int down = random.Next(2), right = 2 + random.Next(2);
        for (int segment = 0; segment < boxes.Length; segment++)
        {
            if ((segments[digit] >> (6 - segment) & 1) == 0)
                continue;
            (int y, int x, int height, int width) = boxes[segment];
            for (int i = 0; i < height * width; i++)
                pixels[((y + down + (i / width)) * 12) + x + right + (i % width)] = (byte)(255 - random.Next(60));
        }

        return pixels;
    }

    /// <summary>Writes digits into a folder of each class, those of odd number into a folder inside it.</summary>
    public static void WriteDigits(string folder, int count, int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < count; i++)
        {
            string place = Path.Combine(folder, $"{i % 10}", (i / 10) % 2 == 0 ? "." : "odd");
            Directory.CreateDirectory(place);
            File.WriteAllBytes(Path.Combine(place, $"{i}.png"), Encode(Digit(i % 10, random), 12));
        }
    }

    /// <summary>Writes an IDX file.</summary>
    public static byte[] Idx(byte[] content, params int[] dimensions) =>
        [0, 0, 8, (byte)dimensions.Length, .. dimensions.SelectMany(size => BitConverter.GetBytes(size).Reverse()), .. content];
}
