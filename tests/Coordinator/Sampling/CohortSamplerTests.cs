using System.Security.Cryptography;
using Federated.Coordinator.Sampling;

namespace Federated.Coordinator.Tests.Sampling;

public sealed class CohortSamplerTests
{
    private static readonly string[] Sites = [.. Enumerable.Range(0, 10).Select(i => $"site-{i}")];

    [Fact]
    public void Draw_ByHand_TakesTheLowestTickets()
    {
        // SHA-256(07 00.. (u64) || 03 00.. (u32) || 01 00.. (u32) || name), the three lowest.
        string[] expected = [.. Sites
            .Select(site => (site, ticket: Convert.ToHexString(SHA256.HashData([7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, .. System.Text.Encoding.ASCII.GetBytes(site)]))))
            .OrderBy(s => s.ticket, StringComparer.Ordinal).Take(3).Select(s => s.site).Order(StringComparer.Ordinal)];
        Assert.Equal(expected, CohortSampler.Draw(Sites, 3, 7, 3, 1));
    }

    [Fact]
    public void Draw_OrderOfTheList_DoesNotMatter() =>
        Assert.Equal(CohortSampler.Draw(Sites, 4, 1, 1, 1), CohortSampler.Draw([.. Sites.Reverse()], 4, 1, 1, 1));

    [Fact]
    public void Draw_All_IsEveryone() => Assert.Equal(Sites, CohortSampler.Draw(Sites, Sites.Length, 1, 1, 1));

    [Fact]
    public void Draw_OverManyRounds_TakesEachSiteEquallyOften()
    {
        Dictionary<string, int> drawn = Sites.ToDictionary(site => site, _ => 0);
        for (int round = 1; round <= 3000; round++)
        {
            foreach (string site in CohortSampler.Draw(Sites, 3, 99, round, 1))
                drawn[site]++;
        }

        // Binomial(3000, 0.3): deviation 25; five of them on either side.
        Assert.All(drawn.Values, count => Assert.InRange(count, 775, 1025));
    }

    [Fact]
    public void Draw_AnotherAttempt_DrawsAgain() =>
        Assert.Contains(Enumerable.Range(2, 20), attempt => !CohortSampler.Draw(Sites, 3, 7, 1, attempt).SequenceEqual(CohortSampler.Draw(Sites, 3, 7, 1, 1)));
}
