using System.IO.Compression;

namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>256 MiB of zeros as gzip: some 260 kB, which pass every limit on what arrives. Made once.</summary>
internal static class Bomb
{
    private static readonly Lazy<byte[]> Made = new(() =>
    {
        byte[] zeros = new byte[1 << 20];
        using MemoryStream output = new();
        using (GZipStream gzip = new(output, CompressionLevel.SmallestSize))
        {
            for (int i = 0; i < 256; i++)
                gzip.Write(zeros);
        }

        return output.ToArray();
    });

    public static byte[] Gzip => Made.Value;
}
