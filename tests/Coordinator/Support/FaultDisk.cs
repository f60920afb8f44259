using Federated.Coordinator.Store;

namespace Federated.Coordinator.Tests.Support;

/// <summary>A disk that fails when a test tells it to, and remembers the order of what was done.</summary>
internal sealed class FaultDisk : IDisk
{
    private readonly SystemDisk _disk = new();
    private readonly Lock _gate = new();
    private readonly List<string> _log = [];

    /// <summary>Writes fail with "no space left on device".</summary>
    public bool Full { get; set; }

    /// <summary>Flushes of files fail.</summary>
    public bool FlushFails { get; set; }

    /// <summary>Done once, right before the next rename.</summary>
    public Action? BeforeRename { get; set; }

    /// <summary>What <see cref="FreeBytes"/> answers; the real number when null.</summary>
    public long? Free { get; set; }

    /// <summary>Operations since <see cref="Forget"/>: <c>create</c>, <c>write</c>, <c>flush</c>, <c>rename</c>, <c>flush-directory</c>, <c>delete</c> and others.</summary>
    public IReadOnlyList<string> Log
    {
        get
        {
            lock (_gate)
                return [.. _log];
        }
    }

    public void Forget()
    {
        lock (_gate)
            _log.Clear();
    }

    /// <summary>Adds an operation of another part to the log.</summary>
    public void Note(string operation)
    {
        lock (_gate)
            _log.Add(operation);
    }

    public void CreateDirectory(string path) => _disk.CreateDirectory(path);

    public IDiskFile Create(string path)
    {
        Note("create");
        return new FaultFile(this, _disk.Create(path));
    }

    public IDiskFile OpenRead(string path) => _disk.OpenRead(path);

    public void Rename(string from, string to)
    {
        Note("rename");
        BeforeRename?.Invoke();
        BeforeRename = null;
        _disk.Rename(from, to);
    }

    public void Delete(string path)
    {
        Note("delete");
        _disk.Delete(path);
    }

    public void FlushDirectory(string path)
    {
        Note("flush-directory");
        _disk.FlushDirectory(path);
    }

    public long? Length(string path) => _disk.Length(path);

    public IReadOnlyList<string> Files(string directory) => _disk.Files(directory);

    public void Allocate(string path, long bytes) => _disk.Allocate(path, bytes);

    public long FreeBytes(string path) => Free ?? _disk.FreeBytes(path);

    private sealed class FaultFile(FaultDisk disk, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            disk.Note("write");
            if (disk.Full)
                throw new IOException("No space left on device", 28);
            file.Write(offset, bytes);
        }

        public int Read(long offset, Span<byte> buffer) => file.Read(offset, buffer);

        public void Flush()
        {
            disk.Note("flush");
            if (disk.FlushFails)
                throw new FlushFailedException("Input/output error");
            file.Flush();
        }

        public void Dispose() => file.Dispose();
    }
}

/// <summary>A journal that notes its appends beside the disk's operations, and fails when a test tells it to.</summary>
internal sealed class FaultJournal(IJournal inner, FaultDisk disk) : IJournal
{
    /// <summary>Appends fail for lack of space.</summary>
    public bool Full { get; set; }

    /// <summary>Appends fail in their flush.</summary>
    public bool FlushFails { get; set; }

    public void Append(params IReadOnlyList<IJournalRecord> records)
    {
        if (records.Count == 0)
            return;
        if (Full)
            throw new DiskFullException("test: the journal's disk is full");
        if (FlushFails)
            throw new FlushFailedException("test: the journal's flush failed");
        inner.Append(records);
        foreach (IJournalRecord record in records)
            disk.Note("journal " + record.GetType().Name);
    }

    public IEnumerable<IJournalRecord> ReadAll() => inner.ReadAll();

    public Federated.Shared.Protocol.ContentHash? FindUpdate(string run, int round, int attempt, string site) => inner.FindUpdate(run, round, attempt, site);

    public void Dispose() => inner.Dispose();
}
