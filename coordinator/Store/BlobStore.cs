using Federated.Shared.Protocol;

namespace Federated.Coordinator.Store;

/// <summary>Content by hash: files <c>xx/&lt;sha256&gt;</c>, written once, never changed, kept as long as somebody holds them.</summary>
/// <remarks>
/// Holds live in memory and are taken again from the journal at a start, so a blob that no record names (the process died
/// between the blob's flush and its record) goes away by itself. Two rounds may hold the same content.
/// </remarks>
internal sealed class BlobStore
{
    /// <summary>Space that stays free after an update has been stored, so that journal and aggregate still fit: 16 MiB.</summary>
    public const long Watermark = 16L * 1024 * 1024;

    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly Lock _gate = new();
    private readonly Dictionary<ContentHash, int> _holds = [];
    private long _temporaries;

    /// <summary>Opens the store in <paramref name="folder"/>; makes its directories when they are missing.</summary>
    public BlobStore(IDisk disk, string folder)
    {
        _disk = disk;
        _folder = folder;
        disk.CreateDirectory(TemporaryFolder);
        for (int i = 0; i < 256; i++)
            disk.CreateDirectory(Path.Combine(folder, i.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
        disk.FlushDirectory(folder);
    }

    private string TemporaryFolder => Path.Combine(_folder, "tmp");

    /// <summary>Where the content lies, or would.</summary>
    public string PathOf(ContentHash hash)
    {
        string name = hash.ToString();
        return Path.Combine(_folder, name[..2], name);
    }

    /// <summary>Length of the content; null when it is not here.</summary>
    public long? Length(ContentHash hash) => _disk.Length(PathOf(hash));

    /// <summary>Opens content for reading.</summary>
    /// <exception cref="IOException">It is not here.</exception>
    public IDiskFile Open(ContentHash hash) => _disk.OpenRead(PathOf(hash));

    /// <summary>Begins content whose hash is not known yet.</summary>
    /// <param name="length">Bytes it will have, for the check that there is room.</param>
    /// <exception cref="DiskFullException">No room.</exception>
    public BlobWriter Begin(long length)
    {
        Demand(length + Watermark);
        return new(this, _disk, Path.Combine(TemporaryFolder, Interlocked.Increment(ref _temporaries).ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    /// <summary>Checks that the disk has <paramref name="bytes"/> to spare.</summary>
    /// <exception cref="DiskFullException">It has not.</exception>
    public void Demand(long bytes)
    {
        long free = _disk.FreeBytes(_folder);
        if (free < bytes)
            throw new DiskFullException($"The coordinator's disk has {free} bytes free, {bytes} are needed. Free space on it; nothing accepted is lost.");
    }

    /// <summary>Keeps content until the matching <see cref="Release"/>.</summary>
    public void Hold(ContentHash hash)
    {
        lock (_gate)
            _holds[hash] = _holds.GetValueOrDefault(hash) + 1;
    }

    /// <summary>Ends one hold; content that nobody holds any more is deleted.</summary>
    public void Release(ContentHash hash)
    {
        lock (_gate)
        {
            int holds = _holds.GetValueOrDefault(hash) - 1;
            if (holds > 0)
            {
                _holds[hash] = holds;
                return;
            }

            _holds.Remove(hash);
            _disk.Delete(PathOf(hash));
        }
    }

    /// <summary>True when somebody holds the content, which is then here.</summary>
    public bool IsHeld(ContentHash hash)
    {
        lock (_gate)
            return _holds.ContainsKey(hash);
    }

    /// <summary>After the holds were taken from the journal: deletes temporaries and content that no record names.</summary>
    /// <returns>Files deleted.</returns>
    public int DeleteLeftovers()
    {
        int deleted = 0;
        foreach (string path in _disk.Files(TemporaryFolder))
        {
            _disk.Delete(path);
            deleted++;
        }

        for (int i = 0; i < 256; i++)
        {
            string folder = Path.Combine(_folder, i.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
            foreach (string path in _disk.Files(folder))
            {
                if (ContentHash.TryParse(Path.GetFileName(path), out ContentHash hash) && IsHeld(hash))
                    continue;

                _disk.Delete(path);
                deleted++;
            }
        }

        return deleted;
    }

    /// <summary>Gives a finished, flushed temporary its name and holds it. Under the gate: a release of equal content must not delete it in between.</summary>
    internal void Adopt(string temporary, ContentHash hash)
    {
        string path = PathOf(hash);
        lock (_gate)
        {
            _disk.Rename(temporary, path);
            _holds[hash] = _holds.GetValueOrDefault(hash) + 1;
        }

        _disk.FlushDirectory(Path.GetDirectoryName(path)!);
    }
}
