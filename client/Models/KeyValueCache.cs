using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Keys and values of the tokens a decoder has read, so that reading on costs one position a token. One sequence; not safe for concurrent use.</summary>
/// <remarks>Native memory, float32: 2 · layers · key heads · capacity · head width numbers; the capacity doubles when it is used up.</remarks>
public sealed class KeyValueCache : IDisposable
{
    private const int SmallestCapacity = 64;
    private readonly List<(Tensor Keys, Tensor Values)> _layers = [];
    private int _capacity;

    /// <summary>An empty cache.</summary>
    /// <param name="capacity">How many positions to have room for at first.</param>
    public KeyValueCache(int capacity = SmallestCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        _capacity = Math.Max(capacity, SmallestCapacity);
    }

    /// <summary>Number of positions read, a prefix among them.</summary>
    public int Length { get; private set; }

    /// <summary>Appends the keys and values of a layer, (n, key heads, width), at place <paramref name="past"/>.</summary>
    /// <returns>All of the layer's so far, (key heads, past + n, width): views of the cache's memory, in the caller's dispose scope.</returns>
    internal (Tensor Keys, Tensor Values) Append(int layer, int past, Tensor keys, Tensor values)
    {
        using IDisposable _ = no_grad();
        int length = checked(past + (int)keys.shape[0]);
        Length = length;
        if (length > _capacity)
            _capacity = Math.Max(length, checked(2 * _capacity));
        while (_layers.Count <= layer)
            _layers.Add((Room(keys), Room(values)));
        (Tensor allKeys, Tensor allValues) = _layers[layer];
        if (allKeys.shape[1] < _capacity)
            _layers[layer] = (allKeys, allValues) = (Grown(allKeys, past), Grown(allValues, past));
        Write(allKeys, past, keys);
        Write(allValues, past, values);
        return (allKeys.narrow(1, 0, length), allValues.narrow(1, 0, length));
    }

    /// <summary>The keys and values of a layer so far, (key heads, <see cref="Length"/>, width): views in the caller's dispose scope.</summary>
    internal (Tensor Keys, Tensor Values) Layer(int layer) => (_layers[layer].Keys.narrow(1, 0, Length), _layers[layer].Values.narrow(1, 0, Length));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((Tensor keys, Tensor values) in _layers)
        {
            keys.Dispose();
            values.Dispose();
        }

        _layers.Clear();
        Length = 0;
    }

    private Tensor Room(Tensor like) => empty([like.shape[1], _capacity, like.shape[2]], dtype: ScalarType.Float32).DetachFromDisposeScope();

    private Tensor Grown(Tensor old, int length)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor grown = empty([old.shape[0], _capacity, old.shape[2]], dtype: ScalarType.Float32);
        grown.narrow(1, 0, length).copy_(old.narrow(1, 0, length));
        old.Dispose();
        return grown.DetachFromDisposeScope();
    }

    private static void Write(Tensor all, int past, Tensor fresh)
    {
        using DisposeScope scope = NewDisposeScope();
        all.narrow(1, past, fresh.shape[0]).copy_(fresh.transpose(0, 1));
    }
}
