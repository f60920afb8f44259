using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Federated.Compat.Torch;

/// <summary>A tagged value as it crosses the border; mirrored by <c>Value</c> in bridge.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeValue
{
    public int Tag;
    public int Length;
    public long Payload;
}

/// <summary>What the native side tells about a tensor; mirrored by <c>Description</c> in bridge.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorDescription
{
    public void* Data;
    public long* Sizes;
    public long* Strides;
    public long Elements;
    public long Offset;
    public int Rank;
    public int DataType;
    public int DeviceType;
    public int DeviceIndex;
    public int ElementSize;
    public int Flags;

    public readonly bool RequiresGrad => (Flags & 1) != 0;
    public readonly bool IsLeaf => (Flags & 2) != 0;
    public readonly bool IsContiguous => (Flags & 4) != 0;
}

/// <summary>The functions of bridge.cpp. Those marked SuppressGCTransition neither block, nor call back, nor run long.</summary>
internal static unsafe partial class NativeMethods
{
    private const string Library = NativeLoader.LibraryName;

    [LibraryImport(Library), SuppressGCTransition] internal static partial byte* ft_last_error();
    [LibraryImport(Library)] internal static partial byte* ft_version();
    [LibraryImport(Library)] internal static partial int ft_initialize();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial nint ft_operator(string name, string overload);
    [LibraryImport(Library)] internal static partial int ft_call(nint op, NativeValue* arguments, int count, NativeValue* results, int wanted);
    [LibraryImport(Library)] internal static partial int ft_benchmark_add(nint left, nint right, long times);

    [LibraryImport(Library), SuppressGCTransition] internal static partial int ft_describe(nint handle, TensorDescription* description);
    [LibraryImport(Library)] internal static partial void ft_free(nint handle);
    [LibraryImport(Library), SuppressGCTransition] internal static partial long ft_live_tensors();
    [LibraryImport(Library)] internal static partial nint ft_from_blob(
        void* data, long* sizes, int rank, int dtype, delegate* unmanaged[Cdecl]<nint, void> deleter, nint context);

    [LibraryImport(Library)] internal static partial int ft_set_requires_grad(nint handle, int on);
    [LibraryImport(Library)] internal static partial int ft_retain_grad(nint handle);
    [LibraryImport(Library)] internal static partial int ft_get_grad(nint handle, nint* grad);
    [LibraryImport(Library)] internal static partial int ft_set_grad(nint handle, nint grad);
    [LibraryImport(Library)] internal static partial int ft_backward(
        nint* roots, nint* grads, int count, int keepGraph, int createGraph, nint* inputs, int inputCount);
    [LibraryImport(Library)] internal static partial int ft_grad(
        nint* outputs, nint* grads, int count, nint* inputs, int inputCount, int keepGraph, int createGraph, int allowUnused, nint* results);
    [LibraryImport(Library), SuppressGCTransition] internal static partial int ft_grad_enabled();
    [LibraryImport(Library), SuppressGCTransition] internal static partial void ft_set_grad_enabled(int on);
    [LibraryImport(Library), SuppressGCTransition] internal static partial int ft_inference_enabled();
    [LibraryImport(Library)] internal static partial nint ft_inference_begin(int on);
    [LibraryImport(Library)] internal static partial void ft_inference_end(nint guard);

    [LibraryImport(Library)] internal static partial nint ft_generator(ulong seed);
    [LibraryImport(Library)] internal static partial nint ft_default_generator();
    [LibraryImport(Library)] internal static partial void ft_generator_free(nint handle);
    [LibraryImport(Library)] internal static partial int ft_generator_set_seed(nint handle, ulong seed);
    [LibraryImport(Library)] internal static partial int ft_generator_seed(nint handle, int fresh, ulong* seed);
    [LibraryImport(Library)] internal static partial int ft_generator_get_state(nint handle, nint* state);
    [LibraryImport(Library)] internal static partial int ft_generator_set_state(nint handle, nint state);

    [LibraryImport(Library)] internal static partial int ft_get_num_threads();
    [LibraryImport(Library)] internal static partial int ft_set_num_threads(int count);
    [LibraryImport(Library)] internal static partial int ft_get_num_interop_threads();
    [LibraryImport(Library)] internal static partial int ft_set_num_interop_threads(int count);

    /// <summary>Throws what the native side left as text, with the exception type of the official package.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Check(int status)
    {
        if (status != 0) Throw();
    }

    internal static void Throw() => throw new ExternalException(Marshal.PtrToStringUTF8((nint)ft_last_error()));

    internal static TensorDescription Describe(torch.Tensor tensor)
    {
        TensorDescription description;
        Check(ft_describe(tensor.Handle, &description));
        return description;
    }
}
