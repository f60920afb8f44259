using System.Reflection;
using Federated.Tests.Support;
using TorchSharp;

namespace Federated.Compat.Torch.Tests;

/// <summary>The stand-in shows what the official package shows, and nothing else.</summary>
public class SurfaceTests
{
    private static readonly Assembly StandIn = typeof(torch).Assembly;

    private static readonly SortedSet<string> Actual = PublicSurface.Of(StandIn, "TorchSharp");

    [Fact]
    public void Surface_Reflected_EqualsTheReviewedList()
    {
        string file = Path.Combine(Repository.Root, "shared", "compat", "torch", "surface.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_SURFACE") == "1") File.WriteAllLines(file, Actual);
        string[] reviewed = File.ReadAllLines(file);

        Assert.Empty(Actual.Except(reviewed, StringComparer.Ordinal));
        Assert.Empty(reviewed.Except(Actual, StringComparer.Ordinal));
    }

    [Fact]
    public void Surface_EveryMember_ExistsInTheOfficialPackage()
    {
        string[] official = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Surface", "official-0.107.0.txt"));

        Assert.Empty(Actual.Except(official, StringComparer.Ordinal));
    }

    [Fact]
    public void Assembly_Metadata_SaysItIsAStandIn()
    {
        AssemblyMetadataAttribute[] metadata = [.. StandIn.GetCustomAttributes<AssemblyMetadataAttribute>()];

        Assert.Contains(metadata, m => m is { Key: "StandIn", Value: "true" });
        Assert.Contains(metadata, m => m is { Key: "StandInFor", Value: "TorchSharp 0.107.0" });
    }

    [Fact]
    public void Operators_EveryOneTheStandInNames_ExistsInThisLibtorch()
    {
        FieldInfo[] fields = typeof(Aten).GetFields(BindingFlags.Static | BindingFlags.NonPublic);

        string[] missing = [.. fields.Select(f => f.GetValue(null)!.ToString()!).Where(name => !NativeOps.Has(name))];

        Assert.True(fields.Length > 200);
        Assert.Empty(missing);
    }
}
