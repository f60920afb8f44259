namespace Federated.Coordinator.Aggregation;

/// <summary>Buffers of one worker: they grow to the largest step and are used again by the next.</summary>
internal sealed class FoldScratch
{
    private readonly Dictionary<int, double[]> _doubles = [];
    private readonly Dictionary<int, float[]> _floats = [];

    /// <summary>Buffer number <paramref name="slot"/>; its content is whatever the last use left.</summary>
    public Span<double> Doubles(int slot, int length) => Take(_doubles, slot, length);

    /// <summary>Buffer number <paramref name="slot"/>; its content is whatever the last use left.</summary>
    public Span<float> Floats(int slot, int length) => Take(_floats, slot, length);

    private static Span<T> Take<T>(Dictionary<int, T[]> buffers, int slot, int length)
    {
        if (!buffers.TryGetValue(slot, out T[]? buffer) || buffer.Length < length)
            buffers[slot] = buffer = GC.AllocateUninitializedArray<T>(length);

        return buffer.AsSpan(0, length);
    }
}
