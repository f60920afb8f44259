using System.Reflection;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Federated.Compat.Grpc.Tests.Surface;

/// <summary>Code compiled against the stand-ins must compile and run against the official assemblies, and the other way round.</summary>
public sealed class SurfaceTests
{
    private static readonly string[] LeftOut = ["Grpc.Core.VersionInfo", "Grpc.Core.Utils.GrpcPreconditions"];

    public static TheoryData<string> Assemblies => ["Grpc.Core.Api", "Grpc.Net.Common"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Surface_OfTheAssembly_IsTheOfficialOne(string assembly)
    {
        IEnumerable<string> actual = SurfaceText.Of(Load(assembly)).Where(line => !LeftOut.Any(type => line.Contains(type, StringComparison.Ordinal)));
        Assert.Equal(Kept(assembly), actual);
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Identity_OfTheAssembly_IsTheOfficialOne(string assembly)
    {
        AssemblyName name = Load(assembly).GetName();
        Assert.Equal(new Version(2, 0, 0, 0), name.Version);
        Assert.Equal("D754F35622E28BAD", Convert.ToHexString(name.GetPublicKeyToken()!));
    }

    private static Assembly Load(string assembly) =>
        (assembly == "Grpc.Core.Api" ? typeof(Metadata) : typeof(ICompressionProvider)).Assembly;

    private static List<string> Kept(string assembly) =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Surface", "official-surface.txt"))
            .SkipWhile(line => line != $"[{assembly}]")
            .Skip(1)
            .TakeWhile(line => !line.StartsWith('['))
    ];
}
