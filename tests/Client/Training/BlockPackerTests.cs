using Federated.Client.Training;

namespace Federated.Client.Tests.Training;

public sealed class BlockPackerTests
{
    [Fact]
    public void Pack_SmallExample_IsBestFitDecreasing()
    {
        // Longest first: 12 is too long and alone; 7 and 6 open blocks; 4 fills that of the 6, 3 that of the 7; 2 opens one that the other 2 joins.
        Assert.Equal([[0, 4], [1, 3], [2, 5], [6]], BlockPacker.Pack([7, 6, 2, 4, 3, 2, 12], 10));
    }

    [Fact]
    public void Pack_TwoBlocksWithRoom_TakesTheFullerOne() => Assert.Equal([[0], [1, 2]], BlockPacker.Pack([60, 97, 3], 100));

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 100)]
    [InlineData(3, 1)]
    [InlineData(4, 63)]
    public void Pack_AnyLengths_HasEachRowOnceWithinTheCapacityAndWastesLessThanHalf(int seed, int capacity)
    {
        Random random = new(seed);
        int[] lengths = [.. Enumerable.Range(0, 500).Select(_ => random.Next(1, capacity + 1))];
        IReadOnlyList<int[]> blocks = BlockPacker.Pack(lengths, capacity);
        Assert.Equal(Enumerable.Range(0, 500), blocks.SelectMany(block => block).Order());
        Assert.All(blocks, block => Assert.InRange(block.Sum(row => lengths[row]), 1, capacity));

        // Any two blocks together exceed the capacity, or the later one's rows had gone into the earlier one.
        Assert.True(blocks.Count <= (2L * lengths.Sum() / capacity) + 1, $"{blocks.Count} blocks");
    }

    [Fact]
    public void Pack_Nothing_IsNothing() => Assert.Empty(BlockPacker.Pack([], 8));
}
