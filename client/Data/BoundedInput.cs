namespace Federated.Client.Data;

/// <summary>Reads a stream up to a number of bytes, and turns a damaged compression into an error that names the file.</summary>
internal sealed class BoundedInput(Stream content, string file, long limit) : Stream
{
    private long _count;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _count;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = content.Read(buffer);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or InvalidOperationException)
        {
            throw new DataFormatException(file, 0, $"its compression is damaged or cut short after {_count:N0} bytes of content; compress it again, or name it as what it is.");
        }

        _count += read;
        return _count <= limit ? read : throw new DataFormatException(file, 0, $"its content exceeds {limit:N0} bytes, the largest size taken; split the file.");
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
