using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>What <see cref="Tensor.TotalCount"/> is worth in a test for leaks.</summary>
internal static class Counting
{
    /// <summary>
    /// What every parameter made of a tensor adds to the count for good: under the official package the parameter takes the tensor's handle over,
    /// but the count keeps both. No memory is lost.
    /// </summary>
#if OFFICIAL_PACKAGES
    internal const int PerParameter = 1;
#else
    internal const int PerParameter = 0;
#endif
}
