namespace TorchSharp;

public static partial class torch
{
    /// <summary>One place of an indexer: a number, a slice, a mask, an index tensor, a new axis, or the ellipsis.</summary>
    public struct TensorIndex
    {
        internal enum IndexKind
        {
            None, Single, Null, Ellipsis, Bool, Tensor, Slice,
        }

        internal IndexKind Kind { get; private init; }

        internal long? First { get; private init; }

        internal long? Last { get; private init; }

        internal long? Stride { get; private init; }

        internal Tensor? Indices { get; private init; }

        /// <summary>All of the dimensions that no other index takes.</summary>
        public static TensorIndex Ellipsis = new() { Kind = IndexKind.Ellipsis };

        /// <summary>A new dimension of size 1.</summary>
        public static TensorIndex None = new() { Kind = IndexKind.None };

        /// <summary>A new dimension of size 1, as <see cref="None"/>.</summary>
        public static TensorIndex Null = new() { Kind = IndexKind.Null };

        /// <summary>All of one dimension.</summary>
        public static TensorIndex Colon = Slice();

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) =>
            new() { Kind = IndexKind.Slice, First = start, Last = stop, Stride = step };

        public static TensorIndex Slice((int? start, int? end) range) => Slice(range.start, (long?)range.end);

        public static TensorIndex Slice(Range range) => Slice(
            range.Start.IsFromEnd ? -range.Start.Value : range.Start.Value,
            range.End is { IsFromEnd: true, Value: 0 } ? null : range.End.IsFromEnd ? -range.End.Value : range.End.Value);

        public static TensorIndex Bool(bool value) => new() { Kind = IndexKind.Bool, First = value ? 1 : 0 };

        public static TensorIndex Single(long? index) => new() { Kind = IndexKind.Single, First = index };

        public static TensorIndex Tensor(Tensor tensor) => new() { Kind = IndexKind.Tensor, Indices = tensor };

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex(Index index) => Single(index.IsFromEnd ? -index.Value : index.Value);
    }
}
