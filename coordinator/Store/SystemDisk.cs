using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Federated.Coordinator.Store;

/// <summary>The operating system's disk.</summary>
internal sealed class SystemDisk : IDisk
{
    /// <inheritdoc/>
    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    /// <inheritdoc/>
    public IDiskFile Create(string path) => new SystemFile(path,
        File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read));

    /// <inheritdoc/>
    public IDiskFile OpenRead(string path) => new SystemFile(path,
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));

    /// <inheritdoc/>
    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    /// <inheritdoc/>
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc/>
    public void FlushDirectory(string path)
    {
        // Windows makes names durable with the file; it has no call for a directory.
        if (!OperatingSystem.IsWindows())
            DirectoryFlush.Flush(path);
    }

    /// <inheritdoc/>
    public long? Length(string path)
    {
        FileInfo file = new(path);
        return file.Exists ? file.Length : null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Files(string directory) => Directory.GetFiles(directory);

    /// <inheritdoc/>
    public void Allocate(string path, long bytes) =>
        File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, bytes).Dispose();

    /// <inheritdoc/>
    public long FreeBytes(string path) => new DriveInfo(path).AvailableFreeSpace;

    private sealed class SystemFile(string path, SafeFileHandle handle) : IDiskFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(handle, bytes, offset);

        public int Read(long offset, Span<byte> buffer)
        {
            int done = 0;
            while (done < buffer.Length)
            {
                int read = RandomAccess.Read(handle, buffer[done..], offset + done);
                if (read == 0)
                    break;
                done += read;
            }

            return done;
        }

        public void Flush()
        {
            try
            {
                RandomAccess.FlushToDisk(handle);
            }
            catch (IOException e)
            {
                throw new FlushFailedException($"{path}: the disk did not confirm a flush ({e.Message}).", e);
            }
        }

        public void Dispose() => handle.Dispose();
    }
}

/// <summary>fsync of a directory, for which .NET has no call: opening a directory as a file is refused there.</summary>
internal static partial class DirectoryFlush
{
    private const int ReadOnly = 0;
    private const int Interrupted = 4;

    /// <summary>Makes the names in <paramref name="path"/> durable.</summary>
    /// <exception cref="FlushFailedException">open or fsync failed.</exception>
    public static void Flush(string path)
    {
        int descriptor = Open(path, ReadOnly | DirectoryFlag);
        if (descriptor < 0)
            throw Failed(path, "open");

        try
        {
            while (Sync(descriptor) != 0)
            {
                if (Marshal.GetLastPInvokeError() != Interrupted)
                    throw Failed(path, "fsync");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>O_DIRECTORY: its value belongs to the system and, on Linux, to the processor.</summary>
    private static int DirectoryFlag => OperatingSystem.IsMacOS()
        ? 0x10_0000
        : RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x4000 : 0x1_0000;

    private static FlushFailedException Failed(string path, string call) =>
        new($"{path}: {call} of the directory failed ({Marshal.GetLastPInvokeErrorMessage()}).");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
