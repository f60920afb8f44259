namespace Federated.Client.Data.Images;

/// <summary>How an image is resized, by Pillow's numbers, which <c>preprocessor_config.json</c> has under <c>resample</c>.</summary>
public enum ResamplingFilter
{
    /// <summary>The pixel whose area the new pixel's centre falls into.</summary>
    Nearest = 0,

    /// <summary>A windowed sinc, three pixels to either side.</summary>
    Lanczos = 1,

    /// <summary>A triangle, one pixel to either side.</summary>
    Bilinear = 2,

    /// <summary>A cubic (a = -1/2), two pixels to either side.</summary>
    Bicubic = 3,

    /// <summary>The mean of the covered pixels.</summary>
    Box = 4,

    /// <summary>A Hamming window, one pixel to either side.</summary>
    Hamming = 5,
}
