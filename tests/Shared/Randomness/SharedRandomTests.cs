using Federated.Shared.Randomness;

namespace Federated.Shared.Tests.Randomness;

/// <summary>The vectors of the wire contract: computed independently of this code.</summary>
public class SharedRandomTests
{
    private const ulong LongSeed = 0x0123456789abcdef;

    // Two of the uniform numbers at element 64 (seeds 1 and 0x0123456789abcdef) were recomputed by a second implementation.
    // The contract prints seven to eight digits: one unit of the seventh.
    private const float Digits = 1e-7f;

    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0x299f31d0a4093822u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Block_PublishedCounters_GiveThePublishedWords(uint x, uint y, uint z, uint w, ulong key, uint a, uint b, uint c, uint d) =>
        Assert.Equal((a, b, c, d), Philox4x32.Block(x, y, z, w, key));

    [Theory]
    [InlineData(0ul, 0u, "+-++-+-+-----+-+----", "-++", -46)]
    [InlineData(1ul, 0u, "-+-+--+++----++--+--", "++-", 20)]
    [InlineData(LongSeed, 7u, "+++---++-----+--+--+", "--+", 64)]
    public void Fill_Rademacher_MatchesTheContract(ulong seed, uint stream, string start, string later, int sum)
    {
        Assert.Equal(start, Signs(Fill(seed, stream, StreamKind.Rademacher, 0, 20)));
        Assert.Equal(later, Signs([.. new ulong[] { 2047, 2048, 1000003 }.Select(i => Fill(seed, stream, StreamKind.Rademacher, i, 1)[0])]));
        Assert.Equal(sum, Fill(seed, stream, StreamKind.Rademacher, 0, 10_000).Sum());
    }

    [Theory]
    [InlineData(0ul, 0u, new[] { -0.11879057f, -0.3612932f, -0.17827724f, -0.9194421f, 0.80335742f, 0.37361005f, -0.01761417f })]
    [InlineData(1ul, 0u, new[] { 1.48092675f, -0.24332386f, 0.77908719f, -1.45962226f, -0.51937342f, -0.07582298f, 0.81871575f })]
    [InlineData(LongSeed, 7u, new[] { 0.63625163f, 1.36859047f, -0.14421563f, 0.62337935f, -0.14846821f, 0.15055683f, -0.65003318f })]
    public void Fill_Gaussian_MatchesTheContract(ulong seed, uint stream, float[] expected) =>
        AssertClose(expected, [0, 1, 15, 16, 127, 128, 1000003], seed, stream, StreamKind.Gaussian);

    [Theory]
    [InlineData(0ul, 0u, new[] { 0.86401016f, 0.72889388f, 0.67952919f, 0.14899468f, 0.81504828f, 0.35739946f })]
    [InlineData(1ul, 0u, new[] { 0.1870749f, 0.17439228f, 0.41937882f, 0.85510749f, 0.45928037f, 0.57465667f })]
    [InlineData(LongSeed, 7u, new[] { 0.41790748f, 0.67948037f, 0.41993267f, 0.89517027f, 0.6828488f, 0.9533991f })]
    public void Fill_Uniform_MatchesTheContract(ulong seed, uint stream, float[] expected) =>
        AssertClose(expected, [0, 1, 16, 63, 64, 1000003], seed, stream, StreamKind.Uniform);

    [Theory]
    [InlineData(StreamKind.Rademacher)]
    [InlineData(StreamKind.Gaussian)]
    [InlineData(StreamKind.Uniform)]
    public void Fill_AnySlice_EqualsThatPartOfTheWhole(StreamKind kind)
    {
        float[] whole = Fill(LongSeed, 3, kind, 0, 5000);
        foreach ((int first, int length) in new[] { (0, 1), (1, 63), (63, 2), (64, 64), (100, 2048), (2047, 2), (4096, 904) })
            Assert.Equal(whole[first..(first + length)], Fill(LongSeed, 3, kind, (ulong)first, length));
    }

    [Fact]
    public void Fill_BlockIndexBeyond32Bits_DoesNotRepeatTheStart()
    {
        // 2^32 blocks of uniforms are 2^34 elements: a counter cut to 32 bits would start over there.
        float[] start = Fill(1, 0, StreamKind.Uniform, 0, 64);
        Assert.NotEqual(start, Fill(1, 0, StreamKind.Uniform, 1ul << 34, 64));
    }

    [Fact]
    public void GaussianTable_Entries_HaveTheDocumentedEndsAndVariance()
    {
        ReadOnlySpan<float> table = GaussianTable.Entries;
        Assert.Equal(-4.3249192f, table[0]);
        Assert.Equal(1.9124056e-05f, table[32768]);
        double squares = 0;
        foreach (float value in table)
            squares += (double)value * value;
        Assert.Equal(0.99997972, squares / table.Length, 8);
    }

    [Fact]
    public void Fill_UnknownKind_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SharedRandom.Fill(0, 0, (StreamKind)3, 0, new float[1]));

    private static void AssertClose(float[] expected, ulong[] at, ulong seed, uint stream, StreamKind kind) =>
        Assert.All(expected.Zip(at), pair => Assert.Equal(pair.First, Fill(seed, stream, kind, pair.Second, 1)[0], Digits));

    private static string Signs(float[] values) => string.Concat(values.Select(v => v == 1 ? '+' : v == -1 ? '-' : '?'));

    private static float[] Fill(ulong seed, uint stream, StreamKind kind, ulong first, int count)
    {
        float[] values = new float[count];
        SharedRandom.Fill(seed, stream, kind, first, values);
        return values;
    }
}
