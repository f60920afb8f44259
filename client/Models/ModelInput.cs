namespace Federated.Client.Models;

/// <summary>What goes into a model: rows of tokens or of image patches. Plain managed data without native memory; it may be kept and used again.</summary>
public abstract class ModelInput
{
    /// <summary>Number of sequences or images.</summary>
    public abstract int Rows { get; }

    /// <summary>Number of positions a model works on that are no padding.</summary>
    public abstract int RealTokens { get; }
}
