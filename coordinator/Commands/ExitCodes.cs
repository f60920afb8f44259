namespace Federated.Coordinator.Commands;

/// <summary>Exit codes, after sysexits.h where one fits.</summary>
internal static class ExitCodes
{
    /// <summary>All is well.</summary>
    public const int Ok = 0;

    /// <summary>A run failed, or the command line is wrong.</summary>
    public const int Failed = 1;

    /// <summary>The state was written by a newer version.</summary>
    public const int TooNew = 64;

    /// <summary>The state is damaged.</summary>
    public const int Corrupt = 65;

    /// <summary>The disk did not confirm a write.</summary>
    public const int DiskFailed = 74;

    /// <summary>Another coordinator has the state folder.</summary>
    public const int Locked = 75;

    /// <summary>A run's description, a file or an option cannot be used.</summary>
    public const int BadConfiguration = 78;
}
