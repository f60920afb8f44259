namespace Federated.Shared.Randomness;

/// <summary>The random stream that every party regenerates from a seed: the same bits on every machine, any slice in any order.</summary>
/// <remarks>
/// Philox4x32-10 with key = seed and counter = (block index, 64 bits; stream; kind). Sixteen consecutive blocks make a superblock, and elements run
/// across its sixteen lanes first, so that a vector of any width holds the same word of neighbouring blocks. A change of one bit here is a new
/// version of the wire contract.
/// </remarks>
public static class SharedRandom
{
    private const int Lanes = 16;
    private const int WordsInBlock = 4;
    private const int MaxElements = Lanes * WordsInBlock * 32;

    /// <summary>Elements of a superblock.</summary>
    /// <param name="kind">2048 Rademacher, 128 Gaussian or 64 uniform ones.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kind"/> is not a defined value.</exception>
    public static int SuperblockLength(StreamKind kind) => kind switch
    {
        StreamKind.Rademacher => MaxElements,
        StreamKind.Gaussian => Lanes * WordsInBlock * 2,
        StreamKind.Uniform => Lanes * WordsInBlock,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a defined kind of stream."),
    };

    /// <summary>Writes elements <paramref name="first"/>, <paramref name="first"/> + 1, ... of a stream.</summary>
    /// <param name="seed">Seed; any value.</param>
    /// <param name="stream">Which of a seed's streams, for example the ordinal of a tensor.</param>
    /// <param name="kind">What the elements are.</param>
    /// <param name="first">Index of the first element; the stream does not depend on where a slice starts.</param>
    /// <param name="destination">Receives the elements.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kind"/> is not a defined value.</exception>
    public static void Fill(ulong seed, uint stream, StreamKind kind, ulong first, Span<float> destination)
    {
        int length = SuperblockLength(kind);
        Span<uint> words = stackalloc uint[Lanes * WordsInBlock];
        Span<float> elements = stackalloc float[MaxElements];
        elements = elements[..length];
        (ulong superblock, ulong skip) = Math.DivRem(first, (ulong)length);
        while (!destination.IsEmpty)
        {
            Draw(seed, stream, kind, superblock++, words);
            Shape(kind, words, elements);
            Span<float> wanted = elements[(int)skip..];
            wanted = wanted[..Math.Min(wanted.Length, destination.Length)];
            wanted.CopyTo(destination);
            destination = destination[wanted.Length..];
            skip = 0;
        }
    }

    // Word w of lane l at 16 w + l.
    private static void Draw(ulong seed, uint stream, StreamKind kind, ulong superblock, Span<uint> words)
    {
        for (uint lane = 0; lane < Lanes; lane++)
        {
            ulong block = (superblock * Lanes) + lane;
            (uint x, uint y, uint z, uint w) = Philox4x32.Block((uint)block, (uint)(block >> 32), stream, (uint)kind, seed);
            (words[(int)lane], words[(int)lane + Lanes], words[(int)lane + (2 * Lanes)], words[(int)lane + (3 * Lanes)]) = (x, y, z, w);
        }
    }

    private static void Shape(StreamKind kind, ReadOnlySpan<uint> words, Span<float> elements)
    {
        ReadOnlySpan<float> quantiles = kind == StreamKind.Gaussian ? GaussianTable.Entries : default;
        for (int j = 0; j < elements.Length; j++)
        {
            (int q, int lane) = Math.DivRem(j, Lanes);
            elements[j] = kind switch
            {
                StreamKind.Rademacher => ((words[(q / 32 * Lanes) + lane] >> (q % 32)) & 1) == 1 ? 1 : -1,
                StreamKind.Gaussian => quantiles[(int)(words[(q / 2 * Lanes) + lane] >> (q % 2 * 16)) & 0xFFFF],
                _ => (words[(q * Lanes) + lane] >> 8) * (1f / (1 << 24)),
            };
        }
    }
}
