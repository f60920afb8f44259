namespace Federated.Client.Data.Images;

/// <summary>Resizes images as Pillow's <c>Image.resize</c> does, to the bit.</summary>
/// <remarks>
/// Pillow (src/libImaging/Resample.c) weighs every source pixel that the filter reaches when it is stretched to the scale of the reduction,
/// first along rows, then along columns, in fixed point with 8-bit numbers between the two. Preprocessing is part of what a checkpoint was
/// trained with: other libraries' "bilinear" looks at four pixels only and gives other numbers.
/// </remarks>
public static class Resampling
{
    private const int Precision = 32 - 8 - 2;

    /// <summary>The image in another size; itself if it has that size.</summary>
    /// <param name="image">The image.</param>
    /// <param name="width">Wanted pixels of a row, at least 1.</param>
    /// <param name="height">Wanted rows, at least 1.</param>
    /// <param name="filter">How pixels are weighed.</param>
    public static PixelImage Resize(PixelImage image, int width, int height, ResamplingFilter filter)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if ((width, height) == (image.Width, image.Height))
            return image;
        if (filter == ResamplingFilter.Nearest)
            return Nearest(image, width, height);
        PixelImage across = width == image.Width ? image : AlongRows(image, new(image.Width, width, filter));
        return height == image.Height ? across : AlongColumns(across, new(image.Height, height, filter));
    }

    private static PixelImage AlongRows(PixelImage image, Weights weights)
    {
        byte[] result = new byte[checked(weights.Count * image.Height * image.Channels)];
        for (int y = 0; y < image.Height; y++)
        {
            Span<byte> target = result.AsSpan(y * weights.Count * image.Channels, weights.Count * image.Channels);
            if (image.Channels == 1)
                GreyRow(image.Row(y), target, weights);
            else
                ColourRow(image.Row(y), target, weights);
        }

        return new(weights.Count, image.Height, image.Channels, result);
    }

    private static void GreyRow(ReadOnlySpan<byte> source, Span<byte> target, Weights weights)
    {
        for (int x = 0; x < target.Length; x++)
        {
            ReadOnlySpan<int> factors = weights.Of(x, out int first);
            ReadOnlySpan<byte> reached = source.Slice(first, factors.Length);
            int sum = 1 << (Precision - 1);
            for (int i = 0; i < factors.Length; i++)
                sum += reached[i] * factors[i];
            target[x] = Clip(sum);
        }
    }

    private static void ColourRow(ReadOnlySpan<byte> source, Span<byte> target, Weights weights)
    {
        for (int x = 0; x < weights.Count; x++)
        {
            ReadOnlySpan<int> factors = weights.Of(x, out int first);
            ReadOnlySpan<byte> reached = source.Slice(3 * first, 3 * factors.Length);
            int red = 1 << (Precision - 1), green = red, blue = red;
            for (int i = 0; i < factors.Length; i++)
            {
                int factor = factors[i];
                red += reached[3 * i] * factor;
                green += reached[(3 * i) + 1] * factor;
                blue += reached[(3 * i) + 2] * factor;
            }

            target[3 * x] = Clip(red);
            target[(3 * x) + 1] = Clip(green);
            target[(3 * x) + 2] = Clip(blue);
        }
    }

    private static PixelImage AlongColumns(PixelImage image, Weights weights)
    {
        int length = image.Width * image.Channels;
        byte[] result = new byte[checked(weights.Count * length)];
        int[] sums = new int[length];
        for (int y = 0; y < weights.Count; y++)
        {
            ReadOnlySpan<int> factors = weights.Of(y, out int first);
            Array.Fill(sums, 1 << (Precision - 1));
            for (int i = 0; i < factors.Length; i++)
            {
                int factor = factors[i];
                ReadOnlySpan<byte> row = image.Row(first + i);
                for (int x = 0; x < sums.Length; x++)
                    sums[x] += row[x] * factor;
            }

            Span<byte> target = result.AsSpan(y * length, length);
            for (int x = 0; x < sums.Length; x++)
                target[x] = Clip(sums[x]);
        }

        return new(image.Width, weights.Count, image.Channels, result);
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> Precision, 0, 255);

    private static PixelImage Nearest(PixelImage image, int width, int height)
    {
        int[] columns = Centres(image.Width, width), rows = Centres(image.Height, height);
        int channels = image.Channels;
        byte[] result = new byte[checked(width * height * channels)];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> source = image.Row(rows[y]);
            Span<byte> target = result.AsSpan(y * width * channels, width * channels);
            for (int x = 0; x < width; x++)
                source.Slice(columns[x] * channels, channels).CopyTo(target[(x * channels)..]);
        }

        return new(width, height, channels, result);
    }

    // Added up step by step, as Pillow does (ImagingScaleAffine): on the border between two pixels a product could round to the other one.
    private static int[] Centres(int from, int to)
    {
        double scale = (double)from / to, centre = scale * 0.5;
        int[] nearest = new int[to];
        for (int i = 0; i < to; i++, centre += scale)
            nearest[i] = Math.Min((int)centre, from - 1);
        return nearest;
    }

    /// <summary>Which source pixels make each pixel of a row or column, and with what factors.</summary>
    private sealed class Weights
    {
        private readonly int _stride;
        private readonly int[] _factors, _firsts, _lengths;

        internal Weights(int from, int to, ResamplingFilter filter)
        {
            (double reach, Func<double, double> curve) = Curve(filter);
            double scale = (double)from / to, stretch = Math.Max(1, scale), support = reach * stretch;
            _stride = ((int)Math.Ceiling(support) * 2) + 1;
            (_factors, _firsts, _lengths) = (new int[checked(to * _stride)], new int[to], new int[to]);
            double[] exact = new double[_stride];
            for (int i = 0; i < to; i++)
            {
                double centre = (i + 0.5) * scale;
                int first = Math.Max(0, (int)(centre - support + 0.5));
                int length = Math.Min(from, (int)(centre + support + 0.5)) - first;
                double sum = 0;
                for (int k = 0; k < length; k++)
                {
                    exact[k] = curve((k + first - centre + 0.5) * (1 / stretch));
                    sum += exact[k];
                }

                for (int k = 0; k < length; k++)
                    _factors[(i * _stride) + k] = Fixed(sum == 0 ? exact[k] : exact[k] / sum);
                (_firsts[i], _lengths[i]) = (first, length);
            }
        }

        internal int Count => _firsts.Length;

        internal ReadOnlySpan<int> Of(int index, out int first)
        {
            first = _firsts[index];
            return _factors.AsSpan(index * _stride, _lengths[index]);
        }

        private static int Fixed(double factor) => (int)((factor < 0 ? -0.5 : 0.5) + (factor * (1 << Precision)));

        private static (double Reach, Func<double, double> Curve) Curve(ResamplingFilter filter) => filter switch
        {
            ResamplingFilter.Box => (0.5, x => x is > -0.5 and <= 0.5 ? 1 : 0),
            ResamplingFilter.Bilinear => (1, x => Math.Max(0, 1 - Math.Abs(x))),
            ResamplingFilter.Hamming => (1, Hamming),
            ResamplingFilter.Bicubic => (2, Bicubic),
            ResamplingFilter.Lanczos => (3, x => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0),
            _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "No filter of this number."),
        };

        // Single-precision constants, as in Pillow.
        private static double Hamming(double x)
        {
            x = Math.Abs(x);
            return x == 0 ? 1 : x >= 1 ? 0 : Sinc(x) * (0.54f + (0.46f * Math.Cos(Math.PI * x)));
        }

        private static double Bicubic(double x)
        {
            const double A = -0.5;
            x = Math.Abs(x);
            return x < 1 ? (((((A + 2) * x) - (A + 3)) * x) * x) + 1 : x < 2 ? ((((x - 5) * x) + 8) * x - 4) * A : 0;
        }

        private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
    }
}
