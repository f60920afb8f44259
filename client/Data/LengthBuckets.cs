using System.Runtime.InteropServices;
using Federated.Shared.Randomness;

namespace Federated.Client.Data;

/// <summary>How <see cref="LengthBuckets"/> makes batches; at least one of the two bounds is given.</summary>
public sealed record BatchBounds
{
    /// <summary>Examples that a batch has; fewer where they do not come out even, or where <see cref="MaxTokens"/> is reached first. Null for no bound.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Most places that a batch has, padding included: its rows times its longest row. A longer example is a batch of its own. Null for no bound.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Share of padding that is aimed at, below 1. More disorder is allowed as long as padding stays below it.</summary>
    public double PaddingTarget { get; init; } = 0.08;
}

/// <summary>Shuffled batches of examples of similar length, so that little of a batch is padding.</summary>
/// <remarks>
/// Examples are sorted by length times (1 + noise), cut into batches, and the batches are shuffled. The noise makes each epoch's batches different:
/// the largest of a few amounts that keeps the padding below the target is taken; without noise, equal lengths are still in random order.
/// With a fixed batch size the smallest batch is that of the longest examples, where padding costs most; a few very different lengths can then
/// still exceed the target. With a bound on tokens, batches end early rather than exceed it. The order comes from SplitMix64 and
/// depends on lengths, bounds, seed and epoch alone, on every machine and .NET version.
/// </remarks>
public sealed class LengthBuckets
{
    private static readonly double[] Noises = [1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0];

    private readonly int[] _lengths;
    private readonly BatchBounds _bounds;

    /// <summary>Takes the examples' lengths.</summary>
    /// <param name="lengths">Tokens of each example, 1 or more.</param>
    /// <param name="bounds">Size of batches.</param>
    /// <exception cref="ArgumentException">A length or a bound is below 1, or no bound is given.</exception>
    public LengthBuckets(IEnumerable<int> lengths, BatchBounds bounds)
    {
        _lengths = [.. lengths];
        _bounds = bounds;
        if (Array.FindIndex(_lengths, length => length < 1) is >= 0 and int index)
            throw new ArgumentException($"Example {index} has length {_lengths[index]}; wanted 1 or more.", nameof(lengths));

        if (bounds is { BatchSize: null, MaxTokens: null } or { BatchSize: < 1 } or { MaxTokens: < 1 })
            throw new ArgumentException($"BatchSize is {bounds.BatchSize}, MaxTokens {bounds.MaxTokens}; wanted at least one of them, 1 or more.", nameof(bounds));
    }

    /// <summary>The batches of one epoch: indices of examples, each exactly once.</summary>
    /// <param name="seed">Another seed gives other batches.</param>
    /// <param name="epoch">From 0; another epoch gives other batches.</param>
    public IReadOnlyList<int[]> Epoch(ulong seed, int epoch)
    {
        foreach (double noise in Noises)
        {
            // The same random numbers for each amount of noise: the result is a function of seed and epoch, not of what was tried.
            SplitMix64 random = new(new SplitMix64(seed ^ (new SplitMix64((uint)epoch).NextUInt64() << 1)).NextUInt64());
            List<int[]> batches = Cut(Sorted(random, noise), endAtPadding: noise == 0 && _bounds.MaxTokens is not null);
            if (noise > 0 && PaddingShare(batches) > _bounds.PaddingTarget)
                continue;

            random.Shuffle(CollectionsMarshal.AsSpan(batches));
            return batches;
        }

        throw new InvalidOperationException("The last amount of noise is 0, which is always taken.");
    }

    /// <summary>Batches without end, epoch after epoch.</summary>
    /// <param name="seed">As in <see cref="Epoch"/>.</param>
    /// <param name="skip">How many batches are left out at the start.</param>
    /// <exception cref="InvalidOperationException">There are no examples.</exception>
    public IEnumerable<int[]> Endless(ulong seed, int skip = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        if (_lengths.Length == 0)
            throw new InvalidOperationException("There are no examples to make batches of.");

        // Without a bound on tokens every epoch has as many batches, so whole epochs are left out without being made.
        int perEpoch = _bounds is { MaxTokens: null, BatchSize: { } size } ? ((_lengths.Length - 1) / size) + 1 : int.MaxValue;
        int left = skip % perEpoch;
        for (int epoch = skip / perEpoch; ; epoch = unchecked(epoch + 1))
        {
            foreach (int[] batch in Epoch(seed, epoch))
            {
                if (left == 0)
                    yield return batch;
                else
                    left--;
            }
        }
    }

    /// <summary>Padding in all places of these batches, from 0 to 1.</summary>
    public double PaddingShare(IEnumerable<int[]> batches)
    {
        long places = 0, tokens = 0;
        foreach (int[] batch in batches)
        {
            int longest = 0;
            foreach (int index in batch)
            {
                longest = Math.Max(longest, _lengths[index]);
                tokens += _lengths[index];
            }

            places += (long)longest * batch.Length;
        }

        return places == 0 ? 0 : 1 - ((double)tokens / places);
    }

    private int[] Sorted(SplitMix64 random, double noise)
    {
        int[] order = [.. Enumerable.Range(0, _lengths.Length)];
        random.Shuffle(order.AsSpan());
        double[] keys = new double[order.Length];
        for (int i = 0; i < order.Length; i++)
            keys[i] = _lengths[order[i]] * (1 + (noise * random.NextOpenDouble()));

        return [.. Enumerable.Range(0, order.Length).OrderBy(i => keys[i]).Select(i => order[i])];
    }

    private List<int[]> Cut(int[] order, bool endAtPadding)
    {
        List<int[]> batches = [];
        for (int start = 0; start < order.Length;)
        {
            int end = start, longest = 0;
            long tokens = 0;
            while (end < order.Length)
            {
                int length = _lengths[order[end]];
                long places = (end - start + 1L) * Math.Max(longest, length);
                if (end > start && (end - start == _bounds.BatchSize || places > _bounds.MaxTokens || (endAtPadding && places - tokens - length > _bounds.PaddingTarget * places)))
                    break;

                (longest, tokens) = (Math.Max(longest, length), tokens + length);
                end++;
            }

            batches.Add(order[start..end]);
            start = end;
        }

        return batches;
    }
}
