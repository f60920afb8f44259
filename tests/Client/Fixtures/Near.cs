namespace Federated.Client.Tests.Fixtures;

/// <summary>Element-by-element comparison that names the worst element.</summary>
internal static class Near
{
    internal static void Equal(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double absolute, string what, double relative = 0)
    {
        Assert.True(expected.Length == actual.Length, $"{what}: {actual.Length} elements, expected {expected.Length}");
        double worst = double.NegativeInfinity;
        int at = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            double excess = Math.Abs((double)expected[i] - actual[i]) - absolute - (relative * Math.Abs(expected[i]));
            if (!(excess <= worst))
                (worst, at) = (double.IsNaN(excess) ? double.PositiveInfinity : excess, i);
        }

        Assert.True(expected.Length == 0 || worst <= 0, at < 0 ? "" : $"{what}[{at}]: {actual[at]}, expected {expected[at]} (tolerance {absolute} + {relative} relative)");
    }
}
