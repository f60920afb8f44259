using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public long ndim => Describe().Rank;

        public long Dimensions => ndim;

        public long dim() => ndim;

        public long NumberOfElements => Describe().Elements;

        public long numel() => NumberOfElements;

        public long ElementSize => Describe().ElementSize;

        public long element_size() => ElementSize;

        public ScalarType dtype => (ScalarType)Describe().DataType;

        public DeviceType device_type => (DeviceType)Describe().DeviceType;

        public int device_index => Describe().DeviceIndex;

        public Device device
        {
            get
            {
                TensorDescription description = Describe();
                return description.DeviceType == 0 ? CPU : new Device((DeviceType)description.DeviceType, description.DeviceIndex);
            }
        }

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_leaf => Describe().IsLeaf;

        public bool is_contiguous() => Describe().IsContiguous;

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_integral() => torch.is_integral(dtype);

        public long storage_offset() => Describe().Offset;

        public unsafe long[] shape
        {
            get
            {
                TensorDescription description = Describe();
                long[] sizes = new ReadOnlySpan<long>(description.Sizes, description.Rank).ToArray();
                GC.KeepAlive(this);
                return sizes;
            }
        }

        public long[] size() => shape;

        public unsafe long size(int dim)
        {
            TensorDescription description = Describe();
            long value = description.Sizes[Position(dim, description.Rank)];
            GC.KeepAlive(this);
            return value;
        }

        public unsafe long[] stride()
        {
            TensorDescription description = Describe();
            long[] strides = new ReadOnlySpan<long>(description.Strides, description.Rank).ToArray();
            GC.KeepAlive(this);
            return strides;
        }

        public unsafe long stride(int dim)
        {
            TensorDescription description = Describe();
            long value = description.Strides[Position(dim, description.Rank)];
            GC.KeepAlive(this);
            return value;
        }

        internal TensorDescription Describe()
        {
            TensorDescription description = NativeMethods.Describe(this);
            GC.KeepAlive(this);
            return description;
        }

        private static int Position(int dim, int rank)
        {
            int position = dim < 0 ? dim + rank : dim;
            return (uint)position < (uint)rank ? position : throw new ArgumentOutOfRangeException(
                nameof(dim), $"Dimension {dim} does not exist in a tensor of {rank} dimensions.");
        }
    }
}
