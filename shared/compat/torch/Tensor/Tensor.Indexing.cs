using System.Runtime.CompilerServices;
using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => At([i1]);
            set => Put([i1], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => At([i1, i2]);
            set => Put([i1, i2], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => At([i1, i2, i3]);
            set => Put([i1, i2, i3], value);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => At([i1, i2, i3, i4]);
            set => Put([i1, i2, i3, i4], value);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            (Tensor view, Tensor?[]? gathered) = View(indices);
            if (gathered is null) return view;
            using (view) return Aten.Index.Call(view, NativeArgument.Tensors(gathered));
        }

        public Tensor index(params Tensor[] indices) => Aten.Index.Call(this, indices);

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => index_put_(value, indices, accumulate: false);

        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate = false)
        {
            // Upstream reads a tensor from every index when it accumulates, and ends the process where there is none.
            if (accumulate && !Array.TrueForAll(indices, index => index.Kind == TensorIndex.IndexKind.Tensor))
                throw new ArgumentException("Only index tensors can accumulate; numbers and slices cannot.", nameof(indices));
            (Tensor view, Tensor?[]? gathered) = View(indices);
            using (view)
            {
                if (gathered is not null) Aten.IndexPut.Run(view, NativeArgument.Tensors(gathered), value, accumulate);
                else if (accumulate) view.add_(value);
                else view.copy_(value);
            }

            return this;
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => index_put_(value, indices, accumulate: false);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false)
        {
            Aten.IndexPut.Run(this, indices, value, accumulate);
            return this;
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using Tensor scalar = full([], value, dtype: dtype, device: device);
            return index_put_(scalar, indices);
        }

        public Tensor index_select(long dim, Tensor index) => Aten.IndexSelect.Call(this, dim, index);

        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar alpha) => Aten.IndexAdd.Call(this, dim, index, source, alpha);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha)
        {
            Aten.IndexAddInPlace.Run(this, dim, index, source, alpha);
            return this;
        }

        public Tensor index_copy_(long dim, Tensor index, Tensor source)
        {
            Aten.IndexCopyInPlace.Run(this, dim, index, source);
            return this;
        }

        public Tensor gather(long dim, Tensor index) => Aten.Gather.Call(this, dim, index);

        public Tensor scatter(long dim, Tensor index, Tensor src) => Aten.Scatter.Call(this, dim, index, src);

        public Tensor scatter_(long dim, Tensor index, Tensor src)
        {
            Aten.ScatterInPlace.Run(this, dim, index, src);
            return this;
        }

        public Tensor scatter_add(long dim, Tensor index, Tensor src) => Aten.ScatterAdd.Call(this, dim, index, src);

        public Tensor scatter_add_(long dim, Tensor index, Tensor src)
        {
            Aten.ScatterAddInPlace.Run(this, dim, index, src);
            return this;
        }

        public Tensor masked_fill(Tensor mask, Scalar value) => Aten.MaskedFill.Call(this, mask, value);

        public Tensor masked_fill_(Tensor mask, Scalar value)
        {
            Aten.MaskedFillInPlace.Run(this, mask, value);
            return this;
        }

        public Tensor masked_select(Tensor mask) => Aten.MaskedSelect.Call(this, mask);

        public Tensor where(Tensor condition, Tensor y) => Aten.Where.Call(condition, this, y);

        private Tensor At(ReadOnlySpan<long> indices)
        {
            Tensor view = select(0, indices[0]);
            foreach (long index in indices[1..])
                using (Tensor previous = view) view = previous.select(0, index);
            return view;
        }

        private void Put(ReadOnlySpan<long> indices, Tensor value)
        {
            using Tensor view = At(indices);
            view.copy_(value);
        }

        /// <summary>Applies what yields views (numbers, slices, new axes); index tensors are left, each at its dimension of the view.</summary>
        private (Tensor View, Tensor?[]? Gathered) View(TensorIndex[] indices)
        {
            List<Tensor?> gathered = [];
            Tensor view = alias();
            long dim = 0;
            foreach (TensorIndex index in indices)
            {
                Tensor? next = null;
                switch (index.Kind)
                {
                    case TensorIndex.IndexKind.Single:
                        next = view.select(dim, index.First ?? 0);
                        break;
                    case TensorIndex.IndexKind.Slice:
                        next = Aten.Slice.Call(view, dim++, index.First, index.Last, index.Stride ?? 1);
                        break;
                    case TensorIndex.IndexKind.None or TensorIndex.IndexKind.Null:
                        next = view.unsqueeze(dim++);
                        break;
                    case TensorIndex.IndexKind.Ellipsis:
                        dim = Math.Max(dim, view.ndim - After(indices));
                        break;
                    case TensorIndex.IndexKind.Bool:
                        next = view.unsqueeze(dim);
                        Place(gathered, dim++, tensor([index.First != 0]));
                        break;
                    case TensorIndex.IndexKind.Tensor:
                        Place(gathered, dim, index.Indices!);
                        dim += index.Indices!.dtype is ScalarType.Bool or ScalarType.Byte ? index.Indices.ndim : 1;
                        break;
                }

                if (next is null) continue;
                view.Dispose();
                view = next;
            }

            return (view, gathered.Count == 0 ? null : [.. gathered]);
        }

        // A mask of several dimensions is one entry of the native list, which therefore has fewer entries than dimensions.
        private static void Place(List<Tensor?> gathered, long dim, Tensor indices)
        {
            long taken = gathered.Sum(t => t is { dtype: ScalarType.Bool or ScalarType.Byte } ? t.ndim : 1);
            for (; taken < dim; taken++) gathered.Add(null);
            gathered.Add(indices);
        }

        /// <summary>How many dimensions the indices behind the ellipsis take.</summary>
        private static long After(TensorIndex[] indices) => indices
            .SkipWhile(index => index.Kind != TensorIndex.IndexKind.Ellipsis).Skip(1)
            .Sum(index => index.Kind switch
            {
                TensorIndex.IndexKind.Single or TensorIndex.IndexKind.Slice => 1,
                TensorIndex.IndexKind.Tensor => index.Indices!.dtype is ScalarType.Bool or ScalarType.Byte ? index.Indices.ndim : 1,
                _ => 0,
            });
    }
}
