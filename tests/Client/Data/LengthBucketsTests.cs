using Federated.Client.Data;
using Federated.Shared.Randomness;

namespace Federated.Client.Tests.Data;

public sealed class LengthBucketsTests
{
    /// <summary>Lengths as they occur: mail (log-normal, cut), short messages, documents of two kinds, evenly spread.</summary>
    public static TheoryData<string, int, int> Distributions
    {
        get
        {
            TheoryData<string, int, int> data = [];
            foreach (string kind in (string[])["mail", "messages", "two kinds", "even"])
            {
                foreach ((int count, int batch) in ((int, int)[])[(400, 8), (1500, 16), (5000, 32)])
                    data.Add(kind, count, batch);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Distributions))]
    public void Epoch_RealisticLengths_KeepsPaddingBelowTenPercent(string kind, int count, int batchSize)
    {
        int[] lengths = Lengths(kind, count);
        LengthBuckets bySize = new(lengths, new() { BatchSize = batchSize });
        LengthBuckets byTokens = new(lengths, new() { MaxTokens = batchSize * 512 });
        for (int epoch = 0; epoch < 5; epoch++)
        {
            Assert.InRange(bySize.PaddingShare(bySize.Epoch(7, epoch)), 0, 0.1);
            Assert.InRange(byTokens.PaddingShare(byTokens.Epoch(7, epoch)), 0, 0.1);
        }
    }

    [Theory]
    [MemberData(nameof(Distributions))]
    public void Epoch_AnyLengths_HasEveryExampleOnceWithinTheBounds(string kind, int count, int batchSize)
    {
        int[] lengths = Lengths(kind, count);
        IReadOnlyList<int[]> batches = new LengthBuckets(lengths, new() { BatchSize = batchSize, MaxTokens = 1024 }).Epoch(1, 2);
        Assert.Equal(Enumerable.Range(0, count), batches.SelectMany(batch => batch).Order());
        Assert.All(batches, batch => Assert.InRange(batch.Length, 1, batchSize));
        Assert.All(batches, batch => Assert.True(batch.Length == 1 || batch.Length * batch.Max(index => lengths[index]) <= 1024));
    }

    [Fact]
    public void Epoch_FixedSize_HasOneSmallerBatchAtMost()
    {
        IReadOnlyList<int[]> batches = new LengthBuckets(Lengths("mail", 1001), new() { BatchSize = 16 }).Epoch(1, 0);
        Assert.Equal(63, batches.Count);
        Assert.Equal(62, batches.Count(batch => batch.Length == 16));
    }

    [Fact]
    public void Epoch_AnotherEpochOrSeed_HasOtherBatchesInOtherOrder()
    {
        LengthBuckets buckets = new(Lengths("mail", 500), new() { BatchSize = 16 });
        Assert.Equal(buckets.Epoch(1, 0), buckets.Epoch(1, 0));
        foreach (IReadOnlyList<int[]> other in (IReadOnlyList<int[]>[])[buckets.Epoch(1, 1), buckets.Epoch(2, 0), buckets.Epoch(0, 1)])
        {
            HashSet<string> before = [.. buckets.Epoch(1, 0).Select(Members)];
            Assert.InRange(other.Count(batch => before.Contains(Members(batch))), 0, 3);
        }

        static string Members(int[] batch) => string.Join(' ', batch.Order());
    }

    [Fact]
    public void Epoch_OrderOfBatches_DoesNotFollowLength()
    {
        int[] lengths = [.. Enumerable.Range(1, 512)];
        IReadOnlyList<int[]> batches = new LengthBuckets(lengths, new() { BatchSize = 8 }).Epoch(3, 0);
        double[] means = [.. batches.Select(batch => batch.Average(index => lengths[index]))];

        // Of 63 steps of a random order about half go up; 8 standard deviations (2.3) stay far from all or none.
        Assert.InRange(means.Zip(means.Skip(1)).Count(step => step.First < step.Second), 13, 50);
    }

    [Fact]
    public void Epoch_KnownSeed_GivesTheSameBatchesOnEveryMachine()
    {
        // Computed by an independent implementation of SplitMix64, Lemire's bounded integers and the description of LengthBuckets.
        IReadOnlyList<int[]> batches = new LengthBuckets([30, 80, 32, 75, 31, 79, 33, 78], new() { BatchSize = 3 }).Epoch(42, 3);
        Assert.Equal("0 4 2 | 6 3 7 | 5 1", string.Join(" | ", batches.Select(batch => string.Join(' ', batch))));
    }

    [Fact]
    public void Endless_TwoEpochs_AreTheEpochsInOrder()
    {
        LengthBuckets buckets = new([1, 2, 3, 4, 5], new() { BatchSize = 2 });
        Assert.Equal([.. buckets.Epoch(9, 0), .. buckets.Epoch(9, 1)], buckets.Endless(9).Take(6));
        Assert.Throws<InvalidOperationException>(() => new LengthBuckets([], new() { BatchSize = 2 }).Endless(1).First());
    }

    [Theory]
    [InlineData(2, null)]
    [InlineData(null, 6)]
    public void Endless_ASkip_LeavesOutThatManyBatches(int? batchSize, int? maxTokens)
    {
        LengthBuckets buckets = new([1, 2, 3, 4, 5], new() { BatchSize = batchSize, MaxTokens = maxTokens });
        Assert.All(Enumerable.Range(0, 9), skip => Assert.Equal(buckets.Endless(9).Skip(skip).Take(6), buckets.Endless(9, skip).Take(6)));
    }

    [Fact]
    public void LengthBuckets_BoundsOrLengthsBelowOne_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new LengthBuckets([1], new()));
        Assert.Throws<ArgumentException>(() => new LengthBuckets([1], new() { BatchSize = 0 }));
        Assert.Throws<ArgumentException>(() => new LengthBuckets([1], new() { MaxTokens = 0 }));
        Assert.Throws<ArgumentException>(() => new LengthBuckets([3, 0], new() { BatchSize = 1 }));
    }

    private static int[] Lengths(string kind, int count)
    {
        SplitMix64 random = new((ulong)count);
        return [.. Enumerable.Range(0, count).Select(_ => Math.Clamp((int)One(), 1, 512))];

        double One() => kind switch
        {
            "mail" => Math.Exp(5.5 + (0.9 * random.NextNormal())),
            "messages" => Math.Exp(3 + (0.6 * random.NextNormal())),
            "two kinds" => random.NextInt32(3) == 0 ? 400 + (40 * random.NextNormal()) : 30 + (10 * random.NextNormal()),
            _ => 1 + random.NextInt32(512),
        };
    }
}
