namespace Federated.Client.Models;

/// <summary>A checkpoint or adapter folder cannot be used: the message names the file, every problem found in it, and the way out.</summary>
public sealed class CheckpointException : Exception
{
    /// <summary>Creates the error for one problem.</summary>
    public CheckpointException(string message) : base(message)
    {
    }

    /// <summary>Creates the error for one problem with its cause.</summary>
    public CheckpointException(string message, Exception cause) : base(message, cause)
    {
    }

    /// <summary>Creates one error out of all problems found in <paramref name="source"/>, at most <see cref="Listed"/> spelled out.</summary>
    public static CheckpointException Of(string source, string summary, IReadOnlyCollection<string> problems)
    {
        string rest = problems.Count > Listed ? $"{Environment.NewLine}  and {problems.Count - Listed} more" : "";
        return new($"{source}: {summary}{Environment.NewLine}  {string.Join(Environment.NewLine + "  ", problems.Take(Listed))}{rest}");
    }

    /// <summary>How many problems a message spells out; the rest are counted.</summary>
    public const int Listed = 40;
}
