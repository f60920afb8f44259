namespace Federated.Shared.Tensors;

/// <summary>What a header says about one tensor. Row-major, contiguous.</summary>
/// <param name="Name">Unique within its file.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Sizes from the outermost dimension to the innermost; empty for a scalar; a 0 makes the tensor empty.</param>
/// <param name="Offset">First byte, counted from the start of the data section.</param>
/// <param name="Length">Bytes: product of the shape times the element's size.</param>
public sealed record TensorInfo(string Name, DType DType, IReadOnlyList<long> Shape, long Offset, long Length)
{
    /// <summary>Product of the shape; 1 for a scalar.</summary>
    public long ElementCount => Length / DType.Size();

    /// <summary>Declares a tensor that is yet to be placed in a file: <see cref="Offset"/> is 0, <see cref="Length"/> follows from the shape.</summary>
    /// <param name="name">Unique within its file.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="shape">Sizes, each 0 or more.</param>
    /// <exception cref="TensorFormatException">A size is negative, or the product overflows.</exception>
    public static TensorInfo Declare(string name, DType dtype, params IReadOnlyList<long> shape)
    {
        long[] copy = [.. shape];
        if (!TensorShape.TryCountElements(copy, out long count) || count > long.MaxValue / dtype.Size())
        {
            throw new TensorFormatException(TensorFormatReason.BadShape,
                $"Tensor {TensorText.Quote(name)}: shape {TensorText.Shape(copy)} has a negative size or more than 2^63 - 1 bytes.");
        }

        return new(name, dtype, copy, 0, count * dtype.Size());
    }

    /// <summary>Equal in every field, the shape compared by its sizes.</summary>
    /// <param name="other">The other description.</param>
    public bool Equals(TensorInfo? other) =>
        other is not null && Name == other.Name && DType == other.DType && Offset == other.Offset && Length == other.Length
        && Shape.SequenceEqual(other.Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, DType, Offset, Length);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {DType.SafetensorsName()} {TensorText.Shape(Shape)}";
}
