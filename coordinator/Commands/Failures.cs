using Federated.Coordinator.RunFiles;
using Federated.Coordinator.Store;

namespace Federated.Coordinator.Commands;

/// <summary>From an error to what the user reads and the caller gets.</summary>
internal static class Failures
{
    /// <summary>Runs a command; an error that is the user's or the machine's becomes lines on <paramref name="error"/> and an exit code.</summary>
    public static async Task<int> GuardAsync(TextWriter error, Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (Exception e) when (Code(e) is { } code)
        {
            await error.WriteLineAsync(e.Message);
            return code;
        }
    }

    /// <summary>The exit code of an error; null for one that is a bug of ours.</summary>
    public static int? Code(Exception error) => error switch
    {
        StoreTooNewException => ExitCodes.TooNew,
        StoreCorruptException => ExitCodes.Corrupt,
        FlushFailedException => ExitCodes.DiskFailed,
        StateLockedException => ExitCodes.Locked,
        RunFileException or InvalidDataException or FormatException => ExitCodes.BadConfiguration,
        IOException or UnauthorizedAccessException => ExitCodes.BadConfiguration,
        _ => null,
    };
}
