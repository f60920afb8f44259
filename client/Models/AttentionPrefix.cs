using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Keys and values of each layer that stand before every row and that every query sees; rows then begin at position <see cref="Length"/>.</summary>
/// <remarks>Source: Li and Liang 2021, arXiv:2101.00190; keys are taken as they are, without rotation, as in Hugging Face PEFT.</remarks>
public sealed class AttentionPrefix
{
    private readonly Func<int, (Tensor Key, Tensor Value)> _layer;

    /// <summary>A prefix of some positions.</summary>
    /// <param name="length">Number of positions, at least 1.</param>
    /// <param name="layer">The keys and values of a layer, both (length, key heads, width), made in the caller's dispose scope.</param>
    public AttentionPrefix(int length, Func<int, (Tensor Key, Tensor Value)> layer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (Length, _layer) = (length, layer);
    }

    /// <summary>Number of positions.</summary>
    public int Length { get; }

    /// <summary>The keys and values of a layer, both (length, key heads, width).</summary>
    internal (Tensor Key, Tensor Value) Layer(int layer) => _layer(layer);

    /// <summary>Puts <paramref name="before"/>, (length, ...), before each row of <paramref name="rows"/>, (n, ...).</summary>
    internal static Tensor Join(Tensor before, Tensor rows, ReadOnlySpan<int> offsets)
    {
        List<Tensor> parts = new(2 * offsets.Length);
        for (int row = 0; row + 1 < offsets.Length; row++)
        {
            parts.Add(before);
            parts.Add(rows.narrow(0, offsets[row], offsets[row + 1] - offsets[row]));
        }

        return cat(parts, 0);
    }

    /// <summary>Where rows begin and end with the prefix before each.</summary>
    internal int[] Shift(ReadOnlySpan<int> offsets)
    {
        int[] shifted = new int[offsets.Length];
        for (int row = 0; row < shifted.Length; row++)
            shifted[row] = checked(offsets[row] + (row * Length));
        return shifted;
    }

    /// <summary>The flat places, with the prefixes counted, of the rows' own positions.</summary>
    internal long[] OwnPlaces(ReadOnlySpan<int> offsets)
    {
        long[] places = new long[offsets[^1]];
        for (int row = 0; row + 1 < offsets.Length; row++)
        {
            for (int i = offsets[row]; i < offsets[row + 1]; i++)
                places[i] = i + ((row + 1L) * Length);
        }

        return places;
    }
}
