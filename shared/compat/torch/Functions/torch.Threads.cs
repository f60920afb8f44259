using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Threads that one operation may use; the count holds for every calling thread.</summary>
    public static void set_num_threads(int num) => NativeMethods.Check(NativeMethods.ft_set_num_threads(num));

    public static int get_num_threads() => NativeMethods.ft_get_num_threads();

    public static void set_num_interop_threads(int num) => NativeMethods.Check(NativeMethods.ft_set_num_interop_threads(num));

    public static int get_num_interop_threads() => NativeMethods.ft_get_num_interop_threads();

    public static DisposeScope NewDisposeScope() => DisposeScopeManager.ThreadSingleton.NewDisposeScope();

    public static DisposeScope? CurrentDisposeScope => DisposeScopeManager.ThreadSingleton.CurrentDisposeScope;

    /// <summary>Runs the function in a scope of its own; its result survives.</summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using DisposeScope scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }

    public static string __version__ => NativeOps.LibtorchVersion;
}
