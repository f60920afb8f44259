namespace Federated.Client.Adapters;

/// <summary>The first numbers of PyTorch's <c>randperm</c> on the CPU, without the rest of it.</summary>
/// <remarks>
/// Adapters of PEFT name random places by torch's seed alone, so the same generator has to draw them: MT19937 (Matsumoto and Nishimura 1998)
/// and a forward shuffle (Durstenfeld 1964) with remainders. From 2³²/20 numbers on PyTorch draws 64 bits and shuffles inside out; then every
/// draw has to be made, but still only the first places are kept.
/// </remarks>
internal static class TorchPermutation
{
    private const long Large = uint.MaxValue / 20;

    /// <summary>The first <paramref name="count"/> numbers of <c>torch.randperm(length, generator=torch.Generator().manual_seed(seed))</c>.</summary>
    internal static long[] First(ulong seed, long length, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, length);
        MersenneTwister random = new((uint)seed);
        return length < Large ? Forward(random, length, count) : InsideOut(random, length, count);
    }

    private static long[] Forward(MersenneTwister random, long length, int count)
    {
        long[] first = new long[count];
        Dictionary<long, long> moved = [];
        for (int i = 0; i < count; i++)
        {
            // The last number of all is not drawn for: it is where it is.
            long place = i + (i < length - 1 ? random.Next() % (length - i) : 0);
            first[i] = moved.GetValueOrDefault(place, place);
            moved[place] = moved.GetValueOrDefault(i, i);
        }

        return first;
    }

    private static long[] InsideOut(MersenneTwister random, long length, int count)
    {
        long[] first = new long[count];
        for (long i = 0; i < length; i++)
        {
            ulong high = random.Next();
            long place = (long)(((high << 32) | random.Next()) % (ulong)(i + 1));
            if (i < count)
                first[i] = first[place];
            if (place < count)
                first[place] = i;
        }

        return first;
    }
}
