using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace Federated.Compat.Torch;

/// <summary>One operator of libtorch's dispatcher (or one registered as <c>federated::...</c>), found by name at its first call.</summary>
/// <remarks>
/// Keep it in a static readonly field. Missing trailing arguments take the schema's defaults. Tensors that come back belong to the
/// calling thread's current dispose scope like any other. A native error is an <see cref="ExternalException"/> with libtorch's text.
/// </remarks>
public sealed unsafe class NativeOperator(string name, string overload = "")
{
    private const int StackWords = 128;
    private nint _handle;

    /// <summary>Name with namespace, <c>aten::addmm</c>.</summary>
    public string Name { get; } = name;

    /// <summary>Overload of that name, <c>Tensor</c> in <c>aten::add.Tensor</c>; empty for the only or main one.</summary>
    public string Overload { get; } = overload;

    /// <summary>True when this libtorch has the operator.</summary>
    internal bool Exists => _handle != 0 || (_handle = NativeMethods.ft_operator(Name, Overload)) != 0;

    /// <summary>Calls an operator that returns one tensor.</summary>
    public Tensor Call(params ReadOnlySpan<NativeArgument> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        return Tensor(in result);
    }

    /// <summary>Calls an operator that returns two tensors.</summary>
    public (Tensor First, Tensor Second) Call2(params ReadOnlySpan<NativeArgument> arguments)
    {
        NativeValue* results = stackalloc NativeValue[2];
        Invoke(arguments, results, 2);
        return (Tensor(in results[0]), Tensor(in results[1]));
    }

    /// <summary>Calls an operator that returns three tensors.</summary>
    public (Tensor First, Tensor Second, Tensor Third) Call3(params ReadOnlySpan<NativeArgument> arguments)
    {
        NativeValue* results = stackalloc NativeValue[3];
        Invoke(arguments, results, 3);
        return (Tensor(in results[0]), Tensor(in results[1]), Tensor(in results[2]));
    }

    /// <summary>Calls an operator that returns one list of tensors.</summary>
    public Tensor[] CallList(params ReadOnlySpan<NativeArgument> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        if (result.Tag != (int)NativeTag.TensorList) throw Unexpected(result, "a list of tensors");
        Tensor[] tensors = new Tensor[result.Length];
        nint* handles = (nint*)result.Payload;
        for (int i = 0; i < tensors.Length; i++) tensors[i] = new Tensor(handles[i]);
        return tensors;
    }

    /// <summary>Calls an operator that returns a number or a truth value (1 or 0).</summary>
    public double CallNumber(params ReadOnlySpan<NativeArgument> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        return (NativeTag)result.Tag switch
        {
            NativeTag.Double => BitConverter.Int64BitsToDouble(result.Payload),
            NativeTag.Int or NativeTag.Bool => result.Payload,
            _ => throw Unexpected(result, "a number"),
        };
    }

    /// <summary>Calls an operator whose results, if any, are not wanted.</summary>
    public void Run(params ReadOnlySpan<NativeArgument> arguments) => Invoke(arguments, null, 0);

    public override string ToString() => Overload.Length == 0 ? Name : $"{Name}.{Overload}";

    /// <summary>The raw result, for scalars whose kind matters.</summary>
    internal NativeValue CallValue(params ReadOnlySpan<NativeArgument> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Tensor Tensor(in NativeValue result)
    {
        if (result.Tag != (int)NativeTag.Tensor) throw Unexpected(result, "a tensor");
        return new Tensor((nint)result.Payload);
    }

    [SkipLocalsInit]
    private void Invoke(ReadOnlySpan<NativeArgument> arguments, NativeValue* results, int wanted)
    {
        nint handle = _handle;
        if (handle == 0) handle = Find();
        int words = 0;
        for (int i = 0; i < arguments.Length; i++) words += Words(in arguments[i]);

        NativeValue* values = stackalloc NativeValue[arguments.Length];
        long* scratch = stackalloc long[StackWords];
        void* heap = null;
        if (words > StackWords) scratch = (long*)(heap = NativeMemory.Alloc((nuint)words, sizeof(long)));
        int status;
        try
        {
            long* free = scratch;
            for (int i = 0; i < arguments.Length; i++) Pack(in arguments[i], ref values[i], ref free);
            status = NativeMethods.ft_call(handle, values, arguments.Length, results, wanted);
        }
        finally
        {
            if (heap != null) NativeMemory.Free(heap);
        }

        // The handles above are bare numbers: their owners must outlive the call.
        for (int i = 0; i < arguments.Length; i++) GC.KeepAlive(arguments[i].Owner);
        if (status != 0) NativeMethods.Throw();
    }

    private static int Words(in NativeArgument argument) => argument.Tag switch
    {
        < NativeTag.IntList => 0,
        NativeTag.String => (Encoding.UTF8.GetMaxByteCount(argument.Length) + 7) / 8,
        _ => argument.Owner is null ? 0 : argument.Length,
    };

    private static void Pack(in NativeArgument argument, ref NativeValue value, ref long* free)
    {
        value.Tag = (int)argument.Tag;
        value.Length = argument.Length;
        value.Payload = argument.Payload;
        if (argument.Tag is >= NativeTag.IntList and <= NativeTag.String) PackList(in argument, ref value, ref free);
    }

    private static void PackList(in NativeArgument argument, ref NativeValue value, ref long* free)
    {
        value.Payload = (nint)free;
        int length = argument.Length;
        switch (argument.Tag)
        {
            case NativeTag.IntList:
                ((long[])argument.Owner!).CopyTo(new Span<long>(free, length));
                break;
            case NativeTag.DoubleList:
                ((double[])argument.Owner!).CopyTo(new Span<double>(free, length));
                break;
            case NativeTag.BoolList:
                bool[] flags = (bool[])argument.Owner!;
                for (int i = 0; i < length; i++) free[i] = flags[i] ? 1 : 0;
                break;
            case NativeTag.TensorList:
                IReadOnlyList<Tensor?> tensors = (IReadOnlyList<Tensor?>)argument.Owner!;
                for (int i = 0; i < length; i++) free[i] = tensors[i] is Tensor tensor ? tensor.Handle : 0;
                break;
            case NativeTag.String:
                Span<byte> bytes = new(free, Encoding.UTF8.GetMaxByteCount(length));
                value.Length = Encoding.UTF8.GetBytes((string)argument.Owner!, bytes);
                length = (bytes.Length + 7) / 8;
                break;
        }

        free += length;
    }

    private nint Find()
    {
        if (!Exists) NativeMethods.Throw();
        return _handle;
    }

    private InvalidOperationException Unexpected(in NativeValue result, string expected) =>
        new($"'{this}' returned {(NativeTag)result.Tag}, expected {expected}.");
}
