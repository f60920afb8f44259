namespace Federated.Client.Data.Images;

/// <summary>What becomes of half a pixel when as much is cut away on both sides.</summary>
public enum CropRounding
{
    /// <summary>Rounded down, as in transformers.</summary>
    Down,

    /// <summary>To the even number, as in torchvision, which timm uses.</summary>
    ToEven,
}

/// <summary>The middle of an image.</summary>
internal static class CentreCrop
{
    /// <summary>Cuts away what is too much on each side, and adds black where there is too little, as transformers' <c>center_crop</c>.</summary>
    internal static PixelImage Apply(PixelImage image, int width, int height, CropRounding rounding)
    {
        if ((width, height) == (image.Width, image.Height))
            return image;
        byte[] result = new byte[checked(width * height * image.Channels)];
        int left = Margin(image.Width, width, rounding), top = Margin(image.Height, height, rounding);
        int from = Math.Max(0, left), to = Math.Min(image.Width, left + width);
        for (int y = Math.Max(0, top); y < Math.Min(image.Height, top + height); y++)
        {
            int target = (((y - top) * width) + from - left) * image.Channels;
            image.Row(y)[(from * image.Channels)..(to * image.Channels)].CopyTo(result.AsSpan(target));
        }

        return new(width, height, image.Channels, result);
    }

    /// <summary>Pixels cut away before the first; negative if some are added.</summary>
    private static int Margin(int from, int to, CropRounding rounding)
    {
        int difference = from - to;
        return rounding == CropRounding.ToEven ? (int)Math.Round(difference / 2.0, MidpointRounding.ToEven) : (int)Math.Floor(difference / 2.0);
    }
}
