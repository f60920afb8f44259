namespace Federated.Coordinator.Store;

/// <summary>The folder that holds all a coordinator must not lose, and the lock that makes this process its only writer.</summary>
/// <remarks>
/// <c>LOCK</c>, <c>RESERVE</c> (space for the last records when the disk is full), <c>journal.db</c>, <c>blobs/</c>,
/// <c>adapters/&lt;run&gt;/</c> (results, for people).
/// </remarks>
internal sealed class StateFolder : IDisposable
{
    private const long ReserveBytes = 64L * 1024 * 1024;

    private readonly IDisk _disk;
    private readonly FileStream _lock;

    private StateFolder(IDisk disk, string path, FileStream held)
    {
        _disk = disk;
        Root = path;
        _lock = held;
    }

    /// <summary>Absolute path of the folder.</summary>
    public string Root { get; }

    /// <summary>The journal's database.</summary>
    public string Journal => Path.Combine(Root, "journal.db");

    /// <summary>Content by hash.</summary>
    public string Blobs => Path.Combine(Root, "blobs");

    private string Reserve => Path.Combine(Root, "RESERVE");

    /// <summary>Folder of a run's final adapter.</summary>
    /// <param name="run">A name that keeps the rule for names, which makes it safe as one of a folder.</param>
    public string Adapter(string run) => Path.Combine(Root, "adapters", run);

    /// <summary>Takes the folder for this process; makes it when it is missing.</summary>
    /// <exception cref="StateLockedException">Another process has it.</exception>
    /// <exception cref="IOException">It cannot be made or written.</exception>
    public static StateFolder Take(IDisk disk, string path)
    {
        string root = Path.GetFullPath(path);
        disk.CreateDirectory(root);
        string file = Path.Combine(root, "LOCK");
        try
        {
            FileStream held = new(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            return new(disk, root, held);
        }
        catch (IOException e) when (!DiskErrors.IsFull(e))
        {
            throw new StateLockedException(
                $"The state folder {root} is in use by another coordinator. Stop that one, or give this one a folder of its own (--state).", e);
        }
    }

    /// <summary>Sets space aside for the records of a clean stop.</summary>
    /// <returns>False when the disk has no room for it.</returns>
    public bool SetSpaceAside()
    {
        if (_disk.Length(Reserve) is not null)
            return true;

        try
        {
            _disk.Allocate(Reserve, ReserveBytes);
            return true;
        }
        catch (IOException e) when (DiskErrors.IsFull(e))
        {
            return false;
        }
    }

    /// <summary>Gives the space back, for the last records.</summary>
    public void FreeSpaceAside() => _disk.Delete(Reserve);

    /// <summary>Lets the next process have the folder.</summary>
    public void Dispose() => _lock.Dispose();
}
