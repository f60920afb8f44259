using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(
            Aten.Arange.Call(start, stop, step, dtype ?? ElementOf(start, stop, step), NativeArgument.None, InitializeDevice(device)),
            requires_grad, null);

    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(Aten.Linspace.Call(start, end, steps, dtype ?? _defaultDtype, NativeArgument.None, InitializeDevice(device)), requires_grad, null);

    public static Tensor eye(
        long rows, long columns = -1, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(
            Aten.Eye.Call(rows, columns == -1 ? rows : columns, dtype ?? _defaultDtype, NativeArgument.None, InitializeDevice(device)),
            requires_grad, names);

    public static Tensor zeros_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(Aten.ZerosLike.Call(input, dtype, NativeArgument.None, device), requires_grad, names);

    public static Tensor ones_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(Aten.OnesLike.Call(input, dtype, NativeArgument.None, device), requires_grad, names);

    public static Tensor empty_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(Aten.EmptyLike.Call(input, dtype, NativeArgument.None, device), requires_grad, names);

    public static Tensor full_like(
        Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Finish(Aten.FullLike.Call(input, value, dtype, NativeArgument.None, device), requires_grad, names);

    public static Tensor rand_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(Aten.RandLike.Call(input, dtype, NativeArgument.None, device), requires_grad, null);

    public static Tensor randn_like(
        Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Finish(Aten.RandnLike.Call(input, dtype, NativeArgument.None, device), requires_grad, null);

    /// <summary>A tensor on the array's own memory, which stays pinned until the last tensor on it is gone.</summary>
    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    public static Tensor from_array(
        Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        long[] shape = [.. Enumerable.Range(0, rawArray.Rank).Select(rawArray.GetLongLength)];
        return Converted(Shared(rawArray, 0, shape), dtype, device, requires_grad, names);
    }

    /// <summary>A one-dimensional tensor on a part of the array's own memory; <paramref name="offset"/> and <paramref name="count"/> are in elements.</summary>
    public static Tensor frombuffer(Array rawArray, ScalarType dtype, long count = -1, long offset = 0, bool requires_grad = false)
    {
        long length = rawArray.LongLength;
        if (offset < 0 || offset >= length) throw new ArgumentException($"invalid value for 'offset': {offset}, the array has {length} elements");
        if (count < 0) count = length - offset;
        if (count > length - offset) throw new IndexOutOfRangeException($"element count is too large: {count}, {length - offset} are left");
        return Converted(Shared(rawArray, offset, [count]), dtype, null, requires_grad, null);
    }

    private static unsafe Tensor Shared(Array array, long offset, long[] shape)
    {
        Type element = array.GetType().GetElementType()!;
        ScalarType dtype = ElementOf(element);
        GCHandle pin = GCHandle.Alloc(array, GCHandleType.Pinned);
        try
        {
            byte* data = (byte*)pin.AddrOfPinnedObject() + (offset * dtype.ElementSize());
            return NativeOps.FromMemory(data, shape, dtype, pin.Free);
        }
        catch
        {
            pin.Free();
            throw;
        }
    }

    private static ScalarType ElementOf(Type element)
    {
        foreach (ScalarType type in Enum.GetValues<ScalarType>())
            if (type.ManagedType() == element) return type;
        throw new NotSupportedException($"A tensor cannot hold elements of type {element}.");
    }

    private static unsafe Tensor Copied<T>(
        ReadOnlySpan<T> values, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) where T : unmanaged
    {
        long elements = 1;
        foreach (long dim in size) elements = checked(elements * dim);
        if (elements > values.Length)
            throw new ArgumentException($"mismatched total size creating a tensor from an array: {elements} vs. {values.Length}");
        Tensor result = Aten.Empty.Call(NativeArgument.Integers(size), ElementOf(typeof(T)), NativeArgument.None, CPU);
        values[..(int)elements].CopyTo(new Span<T>(result.Describe().Data, (int)elements));
        GC.KeepAlive(result);
        return Converted(result, dtype, device, requires_grad, names);
    }

    private static Tensor Converted(Tensor tensor, ScalarType? dtype, Device? device, bool requires_grad, string[]? names)
    {
        device = InitializeDevice(device);
        if ((dtype ?? tensor.dtype) != tensor.dtype || device.type != DeviceType.CPU)
            tensor = tensor.to(dtype ?? tensor.dtype, device, disposeAfter: true);
        return Finish(tensor, requires_grad, names);
    }

    private static ReadOnlySpan<T> Flat<T>(IList<T> values) => values switch
    {
        T[] array => array,
        List<T> list => CollectionsMarshal.AsSpan(list),
        _ => values.ToArray(),
    };

    private static ReadOnlySpan<T> Flat<T>(Array values) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(values)), values.Length);
}
