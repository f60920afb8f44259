using System.IO.Compression;
using Grpc.Core;

namespace Federated.Shared.Protocol;

/// <summary>
/// Inflates gzip up to a number of bytes. Its errors are <see cref="RpcException"/>s, because the gRPC packages pass those on as
/// they are and report any other exception as Unknown. Those packages read a message they hold in memory, synchronously.
/// </summary>
internal sealed class BoundedInflateStream : Stream
{
    private readonly GZipStream _inflate;
    private readonly int _limit;
    private int _left;

    internal BoundedInflateStream(Stream compressed, int limit)
    {
        _inflate = new GZipStream(compressed, CompressionMode.Decompress, leaveOpen: true);
        _limit = limit;
        _left = limit;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        try
        {
            // One byte more than is left tells a message of exactly the limit from a larger one.
            int read = _inflate.Read(buffer.Length > _left ? buffer[..(_left + 1)] : buffer);
            return read > _left ? throw TooLarge() : Counted(read);
        }
        catch (InvalidDataException corrupt)
        {
            throw Corrupt(corrupt);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inflate.Dispose();
        base.Dispose(disposing);
    }

    private int Counted(int read)
    {
        _left -= read;
        return read;
    }

    private RpcException TooLarge() => new(new Status(
        StatusCode.ResourceExhausted,
        $"A gzip message inflates to more than the limit of {_limit} bytes. Send smaller messages, or raise the receive limit on this side."));

    private static RpcException Corrupt(InvalidDataException cause) => new(new Status(
        StatusCode.InvalidArgument,
        "A message marked as gzip is corrupt or cut short. Send it again, or without compression.",
        cause));
}
