using System.Runtime.InteropServices;
using Federated.Compat.Torch;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>The elements in native memory; valid while the tensor lives. Contiguous CPU tensors only.</summary>
        public unsafe Span<byte> bytes
        {
            get
            {
                TensorDescription description = Describe();
                return new Span<byte>(description.Data, ByteCount(description));
            }
            set
            {
                TensorDescription description = Describe();
                int count = ByteCount(description);
                if (value.Length != count)
                    throw new ArgumentException($"The tensor has {count} bytes, got {value.Length}.");
                value.CopyTo(new Span<byte>(description.Data, count));
                GC.KeepAlive(this);
            }
        }

        public TensorAccessor<T> data<T>() where T : unmanaged
        {
            RequireElement<T>();
            return new TensorAccessor<T>(this);
        }

        public T item<T>() where T : unmanaged
        {
            if (NumberOfElements != 1) throw new ArgumentException($"item() needs a tensor of 1 element, this one has {NumberOfElements}.");
            return data<T>()[0];
        }

        /// <summary>The value of a tensor of one element, whatever its type.</summary>
        public Scalar ToScalar()
        {
            NativeValue value = Aten.Item.CallValue(this);
            return (NativeTag)value.Tag switch
            {
                NativeTag.Bool => Scalar.OfFlag(value.Payload != 0),
                NativeTag.Int => Scalar.OfInteger(value.Payload, dtype),
                _ => Scalar.OfNumber(BitConverter.Int64BitsToDouble(value.Payload), dtype),
            };
        }

        public Tensor copy_(Tensor source, bool nonBlocking = false)
        {
            Aten.Copy.Run(this, source, nonBlocking);
            return this;
        }

        public Tensor set_(Tensor source)
        {
            Aten.Set.Run(this, source);
            return this;
        }

        public void WriteBytesToStream(Stream stream, int bufferSize = 1024)
        {
            RequirePlainMemory(Describe());
            for (long offset = 0, total = NumberOfElements * ElementSize; offset < total; offset += WindowBytes)
                stream.Write(Window(offset, total));
        }

        public void ReadBytesFromStream(Stream stream, int bufferSize = 1024)
        {
            RequirePlainMemory(Describe());
            for (long offset = 0, total = NumberOfElements * ElementSize; offset < total; offset += WindowBytes)
                stream.ReadExactly(Window(offset, total));
        }

        private const int WindowBytes = 1 << 20;

        // A tensor may hold more bytes than a span can: streams see it in pieces.
        private unsafe Span<byte> Window(long offset, long total) =>
            new((byte*)Describe().Data + offset, (int)Math.Min(WindowBytes, total - offset));

        private static int ByteCount(TensorDescription description)
        {
            RequirePlainMemory(description);
            long count = description.Elements * description.ElementSize;
            return count <= int.MaxValue ? (int)count : throw new ArgumentException($"The tensor has {count} bytes, more than a span can address.");
        }

        private static void RequirePlainMemory(TensorDescription description)
        {
            if (description.DeviceType != (int)DeviceType.CPU) throw new InvalidOperationException("Reading data from non-CPU memory is not supported.");
            if (!description.IsContiguous) throw new InvalidOperationException("The tensor is not contiguous; call contiguous() first.");
        }

        internal void RequireElement<T>()
        {
            if (dtype.ManagedType() != typeof(T)) throw new ArgumentException($"{typeof(T).Name} is not compatible with {dtype}");
        }
    }
}
