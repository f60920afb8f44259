namespace Federated.Coordinator.Store;

/// <summary>The disk as the store sees it: what a write, a flush or a crash does is decided here, so that tests and simulators can stand in.</summary>
/// <remarks>
/// Paths are absolute. A full disk is an <see cref="IOException"/> that <see cref="DiskErrors.IsFull"/> knows; a failed flush is a
/// <see cref="FlushFailedException"/>, and final: nobody may try again in the same process.
/// </remarks>
internal interface IDisk
{
    /// <summary>Makes a directory and those above it; nothing happens when it is there.</summary>
    void CreateDirectory(string path);

    /// <summary>Makes a new, empty file for writing.</summary>
    /// <exception cref="IOException">It exists already, or cannot be made.</exception>
    IDiskFile Create(string path);

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    IDiskFile OpenRead(string path);

    /// <summary>Moves a file within one file system, over whatever has the new name.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file; nothing happens when it is not there.</summary>
    void Delete(string path);

    /// <summary>Makes creations, renames and deletions in a directory durable.</summary>
    /// <exception cref="FlushFailedException">The disk did not confirm it.</exception>
    void FlushDirectory(string path);

    /// <summary>Length of a file in bytes; null when it is not there.</summary>
    long? Length(string path);

    /// <summary>Paths of the files in a directory.</summary>
    IReadOnlyList<string> Files(string directory);

    /// <summary>Makes a file that holds <paramref name="bytes"/> of space for later.</summary>
    /// <exception cref="IOException">There is no room (<see cref="DiskErrors.IsFull"/>), or it exists already.</exception>
    void Allocate(string path, long bytes);

    /// <summary>Bytes that may still be written to the file system that holds <paramref name="path"/>.</summary>
    long FreeBytes(string path);
}

/// <summary>One open file.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>Writes all of <paramref name="bytes"/> at <paramref name="offset"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Reads at <paramref name="offset"/> until <paramref name="buffer"/> is full or the file ends.</summary>
    /// <returns>Bytes read.</returns>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Makes what was written durable.</summary>
    /// <exception cref="FlushFailedException">The disk did not confirm it.</exception>
    void Flush();
}
