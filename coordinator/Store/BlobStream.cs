namespace Federated.Coordinator.Store;

/// <summary>A <see cref="BlobWriter"/> as a stream, for those who write files.</summary>
/// <param name="writer">Where the bytes go; not disposed.</param>
/// <param name="onWrite">Told the length after each write.</param>
internal sealed class BlobStream(BlobWriter writer, Action<long>? onWrite = null) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => writer.Length;

    /// <inheritdoc/>
    public override long Position { get => writer.Length; set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        writer.Append(buffer);
        onWrite?.Invoke(writer.Length);
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Nothing to do: only <see cref="BlobWriter.Commit"/> makes content durable.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
