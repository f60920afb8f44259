using System.Globalization;

namespace Federated.Simulations.Runs;

/// <summary>Environment that keeps a process's native thread pools at the number of threads it was given.</summary>
public static class ThreadSettings
{
    /// <summary>Variables for <paramref name="threads"/> threads.</summary>
    public static IReadOnlyDictionary<string, string> For(int threads)
    {
        string count = threads.ToString(CultureInfo.InvariantCulture);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["OMP_NUM_THREADS"] = count,
            ["OPENBLAS_NUM_THREADS"] = count,
            // Several processes share the machine: a waiting thread must not burn the core of one that works.
            ["OMP_WAIT_POLICY"] = "passive",
        };
    }
}
