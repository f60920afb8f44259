namespace Federated.Client.Models;

/// <summary>How to read a checkpoint when not simply as it is.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>The head wanted; null takes the checkpoint's own. Another one than the checkpoint's is new and gets seeded random weights.</summary>
    public ModelTask? Task { get; init; }

    /// <summary>Names of the classes wanted; null takes the checkpoint's. Another number than the checkpoint's makes the head new.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Seed of a new head's weights.</summary>
    public ulong HeadSeed { get; init; }

    /// <summary>Whether a weight that is NaN or infinite is an error; it costs little beside reading.</summary>
    public bool RequireFinite { get; init; } = true;
}
