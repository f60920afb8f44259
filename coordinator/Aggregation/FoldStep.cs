using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>A piece of the next adapter that one worker computes at a time.</summary>
internal abstract class FoldStep
{
    /// <summary>Computes the piece into <paramref name="scratch"/>; several steps compute at once, each with its own scratch.</summary>
    public abstract void Compute(FoldScratch scratch, CancellationToken cancellation);

    /// <summary>Writes what <see cref="Compute"/> left in the same scratch; steps write one at a time, in their order.</summary>
    public abstract void Write(SafetensorsWriter writer, FoldScratch scratch);
}
