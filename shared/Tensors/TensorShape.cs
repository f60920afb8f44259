namespace Federated.Shared.Tensors;

/// <summary>Arithmetic on shapes that come from outside.</summary>
internal static class TensorShape
{
    /// <summary>Product of the sizes, refused when a size is negative or the product of the non-zero ones overflows.</summary>
    /// <remarks>A zero does not excuse an overflow: the official library multiplies in order and refuses it too.</remarks>
    public static bool TryCountElements(ReadOnlySpan<long> shape, out long count)
    {
        long product = 1;
        bool empty = false;
        count = 0;
        foreach (long size in shape)
        {
            if (size < 0)
                return false;

            if (size == 0)
            {
                empty = true;
                continue;
            }

            if (product > long.MaxValue / size)
                return false;

            product *= size;
        }

        count = empty ? 0 : product;
        return true;
    }
}
