namespace Federated.Shared.Randomness;

/// <summary>Philox4x32-10: 128 random bits from a 128-bit counter and a 64-bit key, without state.</summary>
/// <remarks>Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.</remarks>
internal static class Philox4x32
{
    private const int Rounds = 10;

    /// <summary>The four words at a counter.</summary>
    public static (uint X, uint Y, uint Z, uint W) Block(uint x, uint y, uint z, uint w, ulong key)
    {
        (uint low, uint high) = ((uint)key, (uint)(key >> 32));
        for (int round = 0; round < Rounds; round++)
        {
            ulong first = 0xD2511F53ul * x, second = 0xCD9E8D57ul * z;
            (x, y, z, w) = ((uint)(second >> 32) ^ y ^ low, (uint)second, (uint)(first >> 32) ^ w ^ high, (uint)first);
            low += 0x9E3779B9;
            high += 0xBB67AE85;
        }

        return (x, y, z, w);
    }
}
