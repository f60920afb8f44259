using System.IO.Compression;
using Grpc.Net.Compression;

namespace Federated.Shared.Protocol;

/// <summary>
/// Message encoding <c>gzip</c> that stops inflating at a limit. The size limits of the gRPC packages count the bytes on the wire
/// and inflate those without bound, and 1 MiB of gzip can hold 1 GiB. Replace the providers of a server or channel by this one:
/// in the options callback clear the list, which the packages fill with unbounded ones, then add it.
/// </summary>
public sealed class BoundedGzipProvider : ICompressionProvider
{
    private readonly int _maxInflatedBytes;
    private readonly CompressionLevel _level;

    /// <param name="maxInflatedBytes">Largest inflated message in bytes; the method's or channel's own receive limit, as a rule.</param>
    /// <param name="level">For what is sent, unless the call asks for another.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is zero or negative.</exception>
    public BoundedGzipProvider(int maxInflatedBytes, CompressionLevel level = CompressionLevel.Fastest)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxInflatedBytes);
        _maxInflatedBytes = maxInflatedBytes;
        _level = level;
    }

    /// <inheritdoc/>
    public string EncodingName => "gzip";

    /// <inheritdoc/>
    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new GZipStream(stream, compressionLevel ?? _level, leaveOpen: true);

    /// <summary>
    /// A stream that inflates <paramref name="stream"/>. Reading throws <c>RpcException</c>: ResourceExhausted as soon as one byte
    /// more than the limit would come out, InvalidArgument when the bytes are not gzip or end too soon.
    /// </summary>
    public Stream CreateDecompressionStream(Stream stream) => new BoundedInflateStream(stream, _maxInflatedBytes);
}
