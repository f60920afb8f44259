using Federated.Tests.Support;
using MessagePack;

namespace Federated.Compat.MessagePack.Tests;

/// <summary>The stand-in's public members: growth is visible in <c>surface.txt</c>, and every one exists in the official 3.1.8.</summary>
public sealed class SurfaceTests
{
#if OFFICIAL_PACKAGES
    /// <summary>The two versions differ only in what the compiler may know of a span's life: calls compile against either.</summary>
    [Fact]
    public void Surface_OfTheStandIn_IsPartOfTheRestoredPackages()
    {
        IEnumerable<string> official = PublicSurface.Of(typeof(MessagePackSerializer).Assembly).Concat(PublicSurface.Of(typeof(KeyAttribute).Assembly));
        Assert.Empty(Read("shared/compat/messagepack/surface.txt").Select(Unscoped).Except(official.Select(Unscoped)));
    }
#else
    [Fact]
    public void Surface_OfTheStandIn_IsWhatSurfaceTxtLists() =>
        Assert.Equal(Read("shared/compat/messagepack/surface.txt"), PublicSurface.Of(typeof(MessagePackSerializer).Assembly));
#endif

    [Fact]
    public void Surface_OfTheStandIn_IsPartOfTheOfficialSurface() =>
        Assert.Empty(Read("shared/compat/messagepack/surface.txt").Except(Read("tests/Compat.MessagePack/official-3.1.8.txt")));

#if OFFICIAL_PACKAGES
    private static string Unscoped(string line) => line.Replace("scoped ", "", StringComparison.Ordinal);
#endif

    private static string[] Read(string path) => File.ReadAllLines(Path.Combine(Repository.Root, path));
}
