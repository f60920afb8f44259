using System.IO.Compression;
using Federated.Compat.Grpc.Tests.Probe;
using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Calls;

public sealed class BoundedGzipProviderTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(999, 1000)]
    [InlineData(1000, 1000)]
    [InlineData(1 << 20, int.MaxValue)]
    public void Inflate_WithinTheLimit_GivesTheBytes(int size, int limit)
    {
        byte[] content = new byte[size];
        new Random(7).NextBytes(content);
        Assert.Equal(content, Inflate(limit, Gzip(content)));
    }

    [Theory]
    [InlineData(1001, 1000)]
    [InlineData(2, 1)]
    [InlineData(1 << 20, 81920)]
    public void Inflate_OverTheLimit_IsResourceExhausted(int size, int limit)
    {
        RpcException error = Assert.Throws<RpcException>(() => Inflate(limit, Gzip(new byte[size])));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains($"{limit} bytes", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Inflate_ManyMembers_AreCountedTogether()
    {
        byte[] member = Gzip(new byte[600]);
        RpcException error = Assert.Throws<RpcException>(() => Inflate(1000, [.. member, .. member]));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal(new byte[1200], Inflate(1200, [.. member, .. member]));
    }

    [Fact]
    public void Inflate_256MiBBomb_AllocatesLessThan16MiB()
    {
        byte[] bomb = Bomb.Gzip;
        Assert.InRange(bomb.Length, 1, 300_000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        RpcException error = Assert.Throws<RpcException>(() => Inflate(4 << 20, bomb));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.InRange(allocated, 1, 16 << 20);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void Inflate_CutShort_IsInvalidArgument(double kept)
    {
        byte[] content = new byte[10_000];
        new Random(3).NextBytes(content);
        byte[] whole = Gzip(content);
        RpcException error = Assert.Throws<RpcException>(() => Inflate(20_000, whole[..(int)(whole.Length * kept)]));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public void Inflate_NotGzip_IsInvalidArgument() =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => Inflate(1000, [9, 9, 9, 9, 9])).StatusCode);

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Constructor_LimitNotPositive_Throws(int limit) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new BoundedGzipProvider(limit));

    // As the gRPC packages do: synchronously, into a growing stream.
    private static byte[] Inflate(int limit, byte[] compressed)
    {
        using MemoryStream output = new();
        using (Stream stream = new BoundedGzipProvider(limit).CreateDecompressionStream(new MemoryStream(compressed)))
            stream.CopyTo(output);
        return output.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        using MemoryStream output = new();
        using (Stream stream = new BoundedGzipProvider(1).CreateCompressionStream(output, CompressionLevel.Fastest))
            stream.Write(content);
        return output.ToArray();
    }
}
