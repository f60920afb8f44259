using System.Collections;
using System.Runtime.InteropServices;
using Federated.Compat.Torch;

namespace TorchSharp.Utils;

/// <summary>The elements of a CPU tensor, in row-major order of its shape whatever its strides.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private readonly torch.Tensor _tensor;

    internal TensorAccessor(torch.Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU) throw new InvalidOperationException("Reading data from non-CPU memory is not supported.");
        _tensor = tensor;
    }

    public long Count => _tensor.numel();

    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get
        {
            T value = *Element(indices);
            GC.KeepAlive(_tensor);
            return value;
        }

        set
        {
            *Element(indices) = value;
            GC.KeepAlive(_tensor);
        }
    }

    public T[] ToArray()
    {
        T[] result = GC.AllocateUninitializedArray<T>(checked((int)Count));
        CopyTo(result);
        return result;
    }

    public Array ToNDArray()
    {
        long[] shape = _tensor.shape;
        if (shape.Length <= 1) return ToArray();
        Array result = Array.CreateInstance(typeof(T), shape);
        CopyTo(MemoryMarshal.CreateSpan(
            ref System.Runtime.CompilerServices.Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(result)), result.Length));
        return result;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        int count = (int)Math.Min(Count - tensorIndex, array.Length - arrayIndex);
        using torch.Tensor? copy = _tensor.is_contiguous() ? null : Aten.Contiguous.Call(_tensor).DetachFromDisposeScope();
        T* source = (T*)(copy ?? _tensor).Describe().Data + tensorIndex;
        new ReadOnlySpan<T>(source, count).CopyTo(array[arrayIndex..]);
        GC.KeepAlive(_tensor);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        int count = (int)Math.Min(Count - tensorIndex, array.Length - arrayIndex);
        ReadOnlySpan<T> source = array.Slice(arrayIndex, count);
        if (_tensor.is_contiguous()) source.CopyTo(new Span<T>((T*)_tensor.Describe().Data + tensorIndex, count));
        else for (int i = 0; i < count; i++) *At(tensorIndex + i) = source[i];
        GC.KeepAlive(_tensor);
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (long i = 0, count = Count; i < count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
    }

    private T* Element(long[] indices)
    {
        TensorDescription description = _tensor.Describe();
        if (indices.Length == 1) return At(indices[0]);
        if (indices.Length != description.Rank)
            throw new ArgumentException($"The tensor has {description.Rank} dimensions, got {indices.Length} indices.");
        long offset = 0;
        for (int i = 0; i < indices.Length; i++)
        {
            if ((ulong)indices[i] >= (ulong)description.Sizes[i])
                throw new IndexOutOfRangeException($"Index {indices[i]} is outside dimension {i} of size {description.Sizes[i]}.");
            offset += indices[i] * description.Strides[i];
        }

        return (T*)description.Data + offset;
    }

    private T* At(long position)
    {
        TensorDescription description = _tensor.Describe();
        if ((ulong)position >= (ulong)description.Elements)
            throw new IndexOutOfRangeException($"Index {position} is outside a tensor of {description.Elements} elements.");
        long offset = 0;
        for (int i = description.Rank - 1; i >= 0; i--)
        {
            (position, long index) = Math.DivRem(position, description.Sizes[i]);
            offset += index * description.Strides[i];
        }

        return (T*)description.Data + offset;
    }
}
