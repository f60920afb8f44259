using Federated.Client.Models;

namespace Federated.Client.Tests.Models;

public sealed class SequenceBatchTests
{
    [Fact]
    public void Packed_Sequences_StandEndToEndWithTheirOwnPositions()
    {
        SequenceBatch batch = SequenceBatch.Packed([new[] { 5, 6, 7 }, new[] { 8 }]);
        Assert.Equal([5, 6, 7, 8], batch.Ids.ToArray());
        Assert.Equal([0, 1, 2, 0], batch.Positions.ToArray());
        Assert.Equal([0, 3, 4], batch.Offsets.ToArray());
        Assert.Equal((2, 4, 4, 3), (batch.Rows, batch.Count, batch.RealTokens, batch.Width));
    }

    [Fact]
    public void Padded_Sequences_AreFilledUpOnTheRight()
    {
        SequenceBatch batch = SequenceBatch.Padded([new[] { 5, 6, 7 }, new[] { 8 }], 0);
        Assert.Equal([5, 6, 7, 8, 0, 0], batch.Ids.ToArray());
        Assert.Equal([0, 1, 2, 0, 1, 2], batch.Positions.ToArray());
        Assert.Equal((2, 6, 4, 3), (batch.Rows, batch.Count, batch.RealTokens, batch.Width));
    }

    [Fact]
    public void LastTokens_PaddingOnEitherSideOrNone_FollowsTransformers()
    {
        SequenceBatch batch = SequenceBatch.Padded([5, 6, 0, 0, 0, 0, 7, 8, 1, 2, 3, 4], 3, 4);
        Assert.Equal([1, 7, 11], batch.LastTokens(0));
        Assert.Equal([3, 7, 11], batch.LastTokens(null));
    }

    [Fact]
    public void Packed_EmptySequence_IsRefused() => Assert.Throws<ArgumentException>(() => SequenceBatch.Packed([new[] { 1 }, Array.Empty<int>()]));

    [Fact]
    public void Padded_WrongLengthsOrMask_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => SequenceBatch.Padded([1, 2, 3], 2, 2));
        Assert.Throws<ArgumentException>(() => SequenceBatch.Padded([1, 2], 1, 2, mask: [1, 2]));
        Assert.Throws<ArgumentException>(() => SequenceBatch.Padded([1, 2], 1, 2, positions: [0]));
    }
}
