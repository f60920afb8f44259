namespace Federated.Client.Commands;

/// <summary>Exit codes of the client, in the numbers of BSD's sysexits.</summary>
public static class ExitCodes
{
    /// <summary>Done, or stopped as asked.</summary>
    public const int Ok = 0;

    /// <summary>A command line that does not parse: unknown or missing options.</summary>
    public const int Usage = 64;

    /// <summary>Malformed data or model files.</summary>
    public const int BadData = 65;

    /// <summary>A bug of ours.</summary>
    public const int Internal = 70;

    /// <summary>The coordinator refused this site: token, run or version.</summary>
    public const int Refused = 77;

    /// <summary>Stopped from outside before its result was there.</summary>
    public const int Interrupted = 130;

    /// <summary>Options that cannot be followed.</summary>
    public const int BadConfiguration = 78;
}
