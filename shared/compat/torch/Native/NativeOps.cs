using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch;

/// <summary>The door to native operators that TorchSharp has no name for, our fused ones (<c>federated::...</c>) above all.</summary>
/// <remarks>Only the stand-in has it: a file that calls it is left out in official mode and has a composed form beside it.</remarks>
public static unsafe class NativeOps
{
    private static readonly ConcurrentDictionary<string, NativeOperator> Found = new(StringComparer.Ordinal);

    /// <summary>Tensors that managed code holds on to, over all threads: finalised or disposed ones are gone from it.</summary>
    public static long LiveTensors => NativeMethods.ft_live_tensors();

    /// <summary>Version of the libtorch in use, <c>1.13.1</c>.</summary>
    public static string LibtorchVersion => Marshal.PtrToStringUTF8((nint)NativeMethods.ft_version())!;

    /// <summary>The operator of that name, <c>aten::add.Tensor</c> or <c>federated::rms_norm</c>; found once, then remembered.</summary>
    public static NativeOperator Operator(string name) => Found.GetOrAdd(name, static full =>
    {
        int dot = full.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? new(full) : new(full[..dot], full[(dot + 1)..]);
    });

    /// <summary>Calls an operator that returns one tensor; a <see cref="NativeOperator"/> in a static field saves the look-up.</summary>
    public static Tensor Call(string name, params ReadOnlySpan<NativeArgument> arguments) => Operator(name).Call(arguments);

    /// <summary>True when this libtorch (with our operators) has that operator.</summary>
    public static bool Has(string name) => Operator(name).Exists;

    /// <summary>A tensor over memory of the caller's, which is not copied.</summary>
    /// <param name="data">Contiguous elements, row-major.</param>
    /// <param name="sizes">Shape, every size 0 or more.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="released">Called once, on any thread, when the last tensor on the memory is gone; it must not throw.</param>
    public static Tensor FromMemory(void* data, ReadOnlySpan<long> sizes, ScalarType dtype, Action released)
    {
        ArgumentNullException.ThrowIfNull(released);
        GCHandle handle = GCHandle.Alloc(released);
        fixed (long* pointer = sizes)
        {
            nint tensor = NativeMethods.ft_from_blob(data, pointer, sizes.Length, (int)dtype, &Released, GCHandle.ToIntPtr(handle));
            if (tensor != 0) return new Tensor(tensor);
        }

        handle.Free();
        NativeMethods.Throw();
        return null!;
    }

    /// <summary>Adds two tensors so many times inside C++: the measure of what this door costs.</summary>
    public static void BenchmarkAdd(Tensor left, Tensor right, long times)
    {
        NativeMethods.Check(NativeMethods.ft_benchmark_add(left.Handle, right.Handle, times));
        GC.KeepAlive(left);
        GC.KeepAlive(right);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static void Released(nint context)
    {
        GCHandle handle = GCHandle.FromIntPtr(context);
        Action released = (Action)handle.Target!;
        handle.Free();
        released();
    }
}
