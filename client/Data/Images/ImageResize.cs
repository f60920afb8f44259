namespace Federated.Client.Data.Images;

/// <summary>The size that images are given: one for all, or one for their shorter side.</summary>
/// <param name="Width">Pixels of a row; of the shorter side if <paramref name="KeepsShape"/>.</param>
/// <param name="Height">Rows; the same as the width if <paramref name="KeepsShape"/>.</param>
/// <param name="KeepsShape">Whether the longer side follows, so that nothing is stretched.</param>
public readonly record struct ImageResize(int Width, int Height, bool KeepsShape)
{
    /// <summary>The size of an image after it: the longer side rounded down, as in torchvision and transformers.</summary>
    public (long Width, long Height) Of(int width, int height) => !KeepsShape
        ? (Width, Height)
        : width <= height ? (Width, Longer(height, width)) : (Longer(width, height), Width);

    // In floating point, in Python's order: int(size * long / short).
    private long Longer(int longer, int shorter) => (long)((double)((long)Width * longer) / shorter);
}
