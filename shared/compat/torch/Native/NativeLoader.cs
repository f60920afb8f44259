using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Federated.Compat.Torch;

/// <summary>Finds the native library, and says how to get it when it or libtorch is missing.</summary>
internal static class NativeLoader
{
    internal const string LibraryName = "federated_torch";

#pragma warning disable CA2255 // the resolver must be in place before the first native call, whichever it is
    [ModuleInitializer]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(NativeLoader).Assembly, Resolve);
#pragma warning restore CA2255

    private static readonly Lazy<nint> Library = new(Load);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == LibraryName ? Library.Value : 0;

    private static nint Load()
    {
        string file = $"lib{LibraryName}.so";
        try
        {
            nint library = NativeLibrary.Load(file, typeof(NativeLoader).Assembly, DllImportSearchPath.AssemblyDirectory);
            Initialize(library);
            return library;
        }
        catch (DllNotFoundException exception)
        {
            throw new DllNotFoundException(
                $"'{file}' beside the program, or a library it stands on, could not be loaded: {exception.Message} " +
                "It needs libtorch at run time; on Debian: apt-get install libtorch-dev libopenblas0-openmp.", exception);
        }
    }

    private static unsafe void Initialize(nint library)
    {
        var initialize = (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(library, "ft_initialize");
        if (initialize() != 0) throw new InvalidOperationException("libtorch was loaded but its thread pool could not be set up.");
    }
}
