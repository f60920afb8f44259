namespace Federated.Coordinator.Store;

/// <summary>A flush that the disk did not confirm.</summary>
/// <remarks>
/// The kernel may mark the pages clean all the same and report success next time, so trying again proves nothing: the
/// process stops with exit code 74, and the next start reads what is really on the disk.
/// </remarks>
internal sealed class FlushFailedException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>The journal or a blob that it names is not what was written.</summary>
internal sealed class StoreCorruptException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A journal written by a newer version of this program.</summary>
internal sealed class StoreTooNewException(string message) : Exception(message);

/// <summary>Another process holds the state folder.</summary>
internal sealed class StateLockedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>There is no room; the message says where and how much is wanted.</summary>
internal sealed class DiskFullException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Tells the kinds of <see cref="IOException"/> apart.</summary>
internal static class DiskErrors
{
    private const int LinuxNoSpace = 28;
    private const int LinuxQuota = 122;
    private const int PreallocationFailed = unchecked((int)0x80131620);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>True when <paramref name="error"/> says that the disk or the quota is full.</summary>
    public static bool IsFull(IOException error) =>
        error is DiskFullException || error.HResult is LinuxNoSpace or LinuxQuota or WindowsDiskFull
        || (error.HResult == PreallocationFailed && error is not FlushFailedException);
}
