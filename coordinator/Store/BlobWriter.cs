using System.Security.Cryptography;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Store;

/// <summary>Content on its way into the store: a temporary file until <see cref="Commit"/>, gone when disposed before.</summary>
internal sealed class BlobWriter : IDisposable
{
    private readonly BlobStore _store;
    private readonly IDisk _disk;
    private readonly string _path;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private IDiskFile? _file;
    private bool _committed;

    /// <summary>Makes the temporary file.</summary>
    internal BlobWriter(BlobStore store, IDisk disk, string path)
    {
        _store = store;
        _disk = disk;
        _path = path;
        _file = disk.Create(path);
    }

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    /// <summary>What has been written, for reading back.</summary>
    public IDiskFile File => _file ?? throw new ObjectDisposedException(nameof(BlobWriter));

    /// <summary>Writes the next bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        File.Write(Length, bytes);
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>SHA-256 of all that was written.</summary>
    public ContentHash Digest()
    {
        Span<byte> hash = stackalloc byte[ContentHash.Size];
        _hash.GetCurrentHash(hash);
        return new(hash);
    }

    /// <summary>Makes the content durable under its hash and holds it there.</summary>
    /// <remarks>Flush, rename, flush of the directory: after a power loss at any point there is either all of it or nothing.</remarks>
    /// <exception cref="FlushFailedException">The disk did not confirm it.</exception>
    public ContentHash Commit()
    {
        ContentHash hash = Digest();
        File.Flush();
        File.Dispose();
        _file = null;
        _store.Adopt(_path, hash);
        _committed = true;
        return hash;
    }

    /// <summary>Drops what was not committed.</summary>
    public void Dispose()
    {
        _hash.Dispose();
        _file?.Dispose();
        if (!_committed)
            _disk.Delete(_path);
    }
}
