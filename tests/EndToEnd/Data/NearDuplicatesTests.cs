using Federated.Simulations.Data;

namespace Federated.EndToEnd.Tests.Data;

public sealed class NearDuplicatesTests
{
    [Fact]
    public void Jaccard_ByHand_IsSharedOverAll()
    {
        // abc bcd cde against abc bcd bcf: 2 of 4.
        Assert.Equal(0.5, Shingles.Jaccard(Shingles.Of("A b, c d e"), Shingles.Of("a b c d  b c f").Where(hash => !Shingles.Of("c d b").Contains(hash) && !Shingles.Of("d b c").Contains(hash)).ToArray()));
        Assert.Equal(1, Shingles.Jaccard(Shingles.Of("one two"), Shingles.Of("One  TWO!")));
        Assert.Equal(0, Shingles.Jaccard(Shingles.Of("?!"), Shingles.Of("")));
    }

    [Fact]
    public void Of_RepeatedAndShortTexts_AreSets()
    {
        Assert.Equal(3, Shingles.Of("a b c a b c a b").Length);
        Assert.Single(Shingles.Of("one"));
        Assert.Empty(Shingles.Of("-- !"));
    }

    [Fact]
    public void Group_Chain_StaysTogether()
    {
        // Neighbours share 3 of 5 shingles (0.6), the ends only 1 of 7.
        ulong[][] sets = [[1, 2, 3, 4], [2, 3, 4, 5], [4, 3, 5, 6], [9, 10], []];
        ulong[][] sorted = [.. sets.Select(set => set.Order().ToArray())];
        Assert.Equal([0, 0, 0, 3, 4], NearDuplicates.Group(sorted, 0.6));
        Assert.Equal([0, 1, 2, 3, 4], NearDuplicates.Group(sorted, 0.61));
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.5)]
    [InlineData(0.8)]
    [InlineData(1.0)]
    public void Group_RandomSets_MissesNoPairAndJoinsNoStranger(double threshold)
    {
        Random random = new(7);
        ulong[][] sets = [.. Enumerable.Range(0, 300).Select(_ => Enumerable.Range(0, random.Next(1, 12)).Select(_ => (ulong)random.Next(14)).Distinct().Order().ToArray())];
        int[] expected = [.. Enumerable.Range(0, sets.Length)];
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = 0; i < sets.Length; i++)
            {
                for (int j = 0; j < i; j++)
                {
                    double similarity = (double)sets[i].Intersect(sets[j]).Count() / sets[i].Union(sets[j]).Count();
                    if (similarity >= threshold && expected[i] != expected[j])
                    {
                        expected[i] = expected[j] = Math.Min(expected[i], expected[j]);
                        changed = true;
                    }
                }
            }
        }

        Assert.Equal(expected, NearDuplicates.Group(sets, threshold));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void Group_ThresholdOutOfRange_IsRefused(double threshold) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => NearDuplicates.Group([], threshold));
}
