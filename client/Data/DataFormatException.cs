namespace Federated.Client.Data;

/// <summary>A data file is not what it should be. The message names file, line, what was found, what is wanted and the way out, and never quotes the data.</summary>
/// <param name="file">File name.</param>
/// <param name="line">Line from 1; 0 when the file as a whole is meant.</param>
/// <param name="problem">Found, wanted, way out; without a word of the data.</param>
public sealed class DataFormatException(string file, int line, string problem)
    : FormatException(line == 0 ? $"{file}: {problem}" : $"{file}:{line}: {problem}")
{
    /// <summary>Line from 1; 0 when the file as a whole is meant.</summary>
    public int Line { get; } = line;
}
