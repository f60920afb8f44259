namespace Federated.Shared.Randomness;

/// <summary>A small generator whose numbers never change, whatever the .NET version: shuffles and partitions stay what they were.</summary>
/// <remarks>
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, with the constants of
/// Vigna's reference splitmix64.c. Not for secrets. Not safe for several threads.
/// </remarks>
/// <param name="seed">Any value; equal seeds give equal sequences.</param>
public sealed class SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 random bits.</summary>
    public ulong NextUInt64()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A double in the open interval (0, 1) with 52 random bits: its logarithm is always finite.</summary>
    public double NextOpenDouble() => ((NextUInt64() >> 12) + 0.5) * (1.0 / (1UL << 52));

    /// <summary>An unbiased integer in [0, <paramref name="bound"/>).</summary>
    /// <param name="bound">1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is below 1.</exception>
    /// <remarks>Source: Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 2019, Algorithm 5.</remarks>
    public int NextInt32(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        ulong range = (ulong)bound;
        ulong threshold = (0 - range) % range;
        while (true)
        {
            UInt128 product = (UInt128)NextUInt64() * range;
            if ((ulong)product >= threshold)
                return (int)(ulong)(product >> 64);
        }
    }

    /// <summary>Puts <paramref name="items"/> into a random order, in place (Fisher and Yates; Durstenfeld 1964).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextInt32(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>A standard normal deviate (Box and Muller 1958, the cosine half).</summary>
    public double NextNormal()
    {
        double radius = Math.Sqrt(-2 * Math.Log(NextOpenDouble()));
        return radius * Math.Cos(2 * Math.PI * NextOpenDouble());
    }
}
