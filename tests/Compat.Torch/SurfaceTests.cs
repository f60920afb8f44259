using Federated.Tests.Support;
using TorchSharp;

namespace Federated.Compat.Torch.Tests;

/// <summary>The stand-in shows what the official package shows, and nothing else.</summary>
/// <remarks>Run with UPDATE_SURFACE=1, each mode writes its own list anew.</remarks>
public class SurfaceTests
{
    private static readonly string Official = Path.Combine(Repository.Root, "tests", "Compat.Torch", "Surface", "official-0.107.0.txt");
    private static readonly string Reviewed = Path.Combine(Repository.Root, "shared", "compat", "torch", "surface.txt");

    private static readonly SortedSet<string> Actual = PublicSurface.Of(typeof(torch).Assembly, "TorchSharp");

#if OFFICIAL_PACKAGES
    [Fact]
    public void Surface_KeptOfTheOfficialPackage_IsWhatItShows()
    {
        HashSet<string> types = [.. File.ReadLines(Reviewed).Select(Type)];
        string[] official = [.. Actual.Where(line => types.Contains(Type(line)))];
        if (Environment.GetEnvironmentVariable("UPDATE_SURFACE") == "1") File.WriteAllLines(Official, official);

        Assert.Equal(File.ReadAllLines(Official), official);
    }
#else
    [Fact]
    public void Surface_Reflected_EqualsTheReviewedList()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_SURFACE") == "1") File.WriteAllLines(Reviewed, Actual);
        string[] reviewed = File.ReadAllLines(Reviewed);

        Assert.Empty(Actual.Except(reviewed, StringComparer.Ordinal));
        Assert.Empty(reviewed.Except(Actual, StringComparer.Ordinal));
    }
#endif

    [Fact]
    public void Surface_EveryMember_ExistsInTheOfficialPackage() =>
        Assert.Empty(File.ReadAllLines(Reviewed).Except(File.ReadAllLines(Official), StringComparer.Ordinal));

    private static string Type(string line) => line[..line.IndexOf(": ", StringComparison.Ordinal)];
}
