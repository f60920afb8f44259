namespace Federated.Tests.Support;

/// <summary>Finds the checkout and what stands beside it, from wherever a test runs.</summary>
public static class Repository
{
    /// <summary>Absolute path of the checkout: the nearest folder above the test binary that holds <c>Federated.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Golden data made by the official code: <c>FEDERATED_FIXTURES</c>, or <c>../shared/fixtures/hf</c> beside the checkout.</summary>
    public static string Fixtures { get; } =
        Environment.GetEnvironmentVariable("FEDERATED_FIXTURES") is { Length: > 0 } given
            ? Path.GetFullPath(given)
            : Path.GetFullPath(Path.Combine(Root, "..", "shared", "fixtures", "hf"));

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Federated.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException(
            $"No Federated.sln above {AppContext.BaseDirectory}: tests run from the checkout they were built in.");
    }
}
